#!/bin/sh
# The manual page and the program say the same.
build=${BUILD:-build}
n=0
failed=0
ok() { n=$((n + 1)); [ "$1" -eq 0 ] && echo "ok $n - $2" || { echo "not ok $n - $2"; failed=1; }; }

# The names after "[lint: NAME]:" in the help, and the list's items in the page.
help=$("$build/cloud-audit-setup" render --help | sed -n '1,/^Warnings/d;s/^  \([a-z0-9-]*\) .*/\1/p')
page=$(sed -n '/^These warnings/,/^\.El/s/^\.It Cm //p' setup/cloud-audit-setup.8)
[ -n "$help" ] && [ "$help" = "$page" ]; ok $? 'the manual page lists the warnings that render --help lists'
options=$("$build/cloud-audit-setup" --help | sed -n 's/^ *\(-., \)\{0,1\}--\([a-z]*\).*/\2/p')
missing=0
for option in $options; do grep -q "Fl -$option" setup/cloud-audit-setup.8 || { missing=1; echo "# --$option"; }; done
[ -n "$options" ]; ok $((missing + $?)) 'the manual page has every option of --help'
echo "1..$n"
exit $failed
