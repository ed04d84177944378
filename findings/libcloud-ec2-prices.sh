#!/usr/bin/env bash
# What the EC2 prices in Apache Libcloud's price file are prices of.
#
# Guess:  `ec2_linux` in libcloud/data/pricing.json holds the on-demand price of shared tenancy, as the file of 2022 did; a
#         newer release has newer prices and more types.
# Truth:  later releases hold, cell by cell, the price of shared tenancy, that of dedicated tenancy (1.10 or 1.06 times as
#         dear; of a small family often for every size that is not 0), or 0. Nothing says which.
# Seen:   2026-11-29, apache-libcloud 3.5.1 and 3.9.1 (libcloud/data/pricing.json).
#
# Needs Python with pip.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

for version in 3.5.1 3.9.1; do
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --dest "$version" "apache-libcloud==$version"
done

python3 - <<'PYTHON' | tee seen
import glob, json, zipfile

def prices(version):
    wheel, = glob.glob(f"{version}/*.whl")
    data = json.loads(zipfile.ZipFile(wheel).read("libcloud/data/pricing.json"))
    return {(r, t): p for t, by_region in data["compute"]["ec2_linux"].items() for r, p in by_region.items()}

old, new = prices("3.5.1"), prices("3.9.1")
for version, cells in ("3.5.1", old), ("3.9.1", new):
    print(f"{version}: {len(cells)} prices, {sum(price == 0 for price in cells.values())} of them 0")
both = [cell for cell in old if new.get(cell)]
same = sum(abs(new[cell] / old[cell] - 1) < 0.001 for cell in both)
dedicated = sum(1.055 < new[cell] / old[cell] < 1.105 for cell in both)
print(f"of {len(both)} prices in both, {same} are the same and {dedicated} are 6 to 10 % dearer in 3.9.1")
for size in "large", "2xlarge", "3xlarge", "12xlarge":
    print(f"m5zn.{size} in us-east-2: {old[('us-east-2', 'm5zn.' + size)]} in 3.5.1, {new[('us-east-2', 'm5zn.' + size)]} in 3.9.1")
PYTHON

cat >expected <<'TEXT'
3.5.1: 6344 prices, 0 of them 0
3.9.1: 15589 prices, 2754 of them 0
of 5359 prices in both, 4577 are the same and 776 are 6 to 10 % dearer in 3.9.1
m5zn.large in us-east-2: 0.1652 in 3.5.1, 0.0 in 3.9.1
m5zn.2xlarge in us-east-2: 0.6607 in 3.5.1, 0.7267 in 3.9.1
m5zn.3xlarge in us-east-2: 0.991 in 3.5.1, 0.0 in 3.9.1
m5zn.12xlarge in us-east-2: 3.9641 in 3.5.1, 4.3605 in 3.9.1
TEXT
diff expected seen || {
  echo "the behaviour changed" >&2
  exit 1
}
