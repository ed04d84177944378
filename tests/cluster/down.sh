#!/usr/bin/env bash
# Stops what up.sh started and removes its state.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
[ -e "$dir" ] || exit 0
[ -e "$dir/.nodeglass-cluster" ] || die "$dir was not made by up.sh; nothing is removed"
for ((i = ${#components[@]} - 1; i >= 0; i--)); do stop "${components[$i]}"; done
rm -rf "$dir"
