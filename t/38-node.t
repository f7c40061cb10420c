#!/bin/sh
# The program on the model of a node (t/unit/node.c), beside the rules and the program for hosts, which it looks for
# where it lies itself.
built=$PWD/${BUILD:-build}
[ -x "$built/t/unit/node" ] || { echo "1..0 # SKIP $built/t/unit/node is not built: make unit-tests"; exit 0; }
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cp "$built/t/unit/node" "$built/cloud-audit-runtime" "$dir/" && cp -r rules "$dir/" || exit 1
"$dir/node"
