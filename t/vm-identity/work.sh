# work.sh NN CLASS ROUNDS: in a container, ROUNDS times 16 programs that have the mark T-NN-CLASS among their arguments, each
# begun in one of the ways in which a container's processes begin: also such whose parent has long gone when a record of
# theirs is read. Nobody outside has the mark among his.
m=T-$1-$2 n=$3
while [ "$n" -gt 0 ]; do
	n=$((n - 1))
	/bin/true $m; /bin/true $m
	/bin/true $m | /bin/true $m
	( /bin/true $m; /bin/true $m )
	/bin/true $m & wait
	( ( /bin/true $m ) & )
	/bin/setsid /bin/true $m
	( /bin/sh -c "/bin/sleep 0.02; /bin/true $m" & )
	( /bin/setsid /bin/sh -c "( /bin/true $m & )" & )
	x=$(/bin/true $m)
done
# Those that outlive their parents.
/bin/sleep 3
: >/tmp/done-$m
