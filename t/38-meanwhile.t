#!/bin/sh
# The program on the model of a node, and what others do meanwhile (t/unit/meanwhile.c), beside the rules and the program
# for hosts, which it looks for where it lies itself.
built=$PWD/${BUILD:-build}
[ -x "$built/t/unit/meanwhile" ] || { echo "1..0 # SKIP $built/t/unit/meanwhile is not built: make unit-tests"; exit 0; }
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cp "$built/t/unit/meanwhile" "$built/cloud-audit-runtime" "$dir/" && cp -r rules "$dir/" || exit 1
"$dir/meanwhile"
