#!/usr/bin/env bash
# Fills in what is known only at a release: fill.sh OWNER/NAME SHA256SUMS DIRECTORY
#
# Writes nodeglass.rb and nodeglass.yaml to DIRECTORY, with @REPOSITORY@ and each "@SHA256 FILE@" replaced. A file that
# SHA256SUMS does not list is an error.
set -euo pipefail
repository=$1 sums=$2 directory=$3
here=$(dirname "$0")

edits=(-e '/^# A template/d' -e "s|@REPOSITORY@|$repository|g")
while read -r sum file; do
  edits+=(-e "s|@SHA256 ${file#\*}@|$sum|g")
done <"$sums"

for name in nodeglass.rb nodeglass.yaml; do
  sed "${edits[@]}" "$here/$name" >"$directory/$name"
  if grep -n '@SHA256 ' "$directory/$name"; then
    echo "$sums has no checksum for this" >&2
    exit 1
  fi
done
