# policy.awk: from the lists of system calls to the table that sandbox.c loads.
# usage: awk -v out=c|text [-v add=sanitizers] -f policy.awk LIST.syscalls...
# The lists that others include come first.                       (POSIX awk)
function fail(s) {
	print FILENAME ":" FNR ": " s > "/dev/stderr"
	bad = 1
	exit 1
}
function names(call, list,   n, w, i) {
	n = split(list, w, " ")
	for (i = 1; i <= n; i++)
		argno[call, w[i]] = i - 1
}
BEGIN {
	names("mmap", "addr length prot flags fd offset")
	names("mprotect", "addr length prot")
	names("fcntl", "fd cmd arg")
	names("ioctl", "fd request arg")
	names("prctl", "option arg2 arg3 arg4 arg5")
	names("socket", "domain type protocol")
	names("sendto", "fd buf len flags addr addrlen")
	names("getsockopt", "fd level name value len")
	names("setsockopt", "fd level name value len")
	names("openat", "dirfd path flags mode")
	names("open", "path flags mode")
	names("newfstatat", "dirfd path stat flags")
	names("tgkill", "tgid tid signal")
	names("memfd_create", "name flags")
}
FNR == 1 {
	cur = FILENAME
	sub(/.*\//, "", cur)
	sub(/\.syscalls$/, "", cur)
	nlists++
	list[nlists] = cur
	known[cur] = 1
	count[cur] = 0
}
{ line = $0; sub(/[ \t]*#.*/, "") }
/^[ \t]*$/ { next }
$1 == "include" { take($2); next }
$1 == "may" && $2 == "network" { network[cur] = 1; next }
$1 == "limit" && ($2 == "nproc" || $2 == "fsize") && $3 ~ /^[0-9]+M?$/ {
	n = $3
	if (sub(/M$/, "", n))
		n = n * 1048576
	limit[cur, $2] = n
	next
}
$1 !~ /^[a-z][a-z0-9_]*$/ { fail("not the name of a system call: " $1) }
{ rule() }
function take(other,   i, j) {
	if (!(other in known))
		fail("no list " other " before this one")
	for (i = 1; i <= count[other]; i++) {
		j = ++count[cur]
		calls[cur, j] = calls[other, i]
		conds[cur, j] = conds[other, i]
		nconds[cur, j] = nconds[other, i]
		answer[cur, j] = answer[other, i]
		shown[cur, j] = shown[other, i]
	}
}
# One argument's condition: NAME==VALUE, NAME!&BITS, NAME&BITS==VALUE.
function cond(call, w,   p, name, rest, mask) {
	if (!match(w, /(==|!&|&)/))
		fail("not a condition: " w)
	name = substr(w, 1, RSTART - 1)
	p = substr(w, RSTART, RLENGTH)
	rest = substr(w, RSTART + RLENGTH)
	if (!((call, name) in argno))
		fail(call " has no argument " name " here")
	if (rest !~ /^[A-Za-z0-9_|]+(==[A-Za-z0-9_|]+)?$/)
		fail("not a value: " rest)
	if (p == "==" && rest == "SELF")
		return "{" argno[call, name] ", POLICY_SELF, 0, 0}"
	if (p == "==")
		return "{" argno[call, name] ", POLICY_EQUAL, 0, " rest "}"
	if (p == "!&")
		return "{" argno[call, name] ", POLICY_MASKED, " rest ", 0}"
	if (!match(rest, /==/))
		fail("NAME&BITS needs ==VALUE")
	mask = substr(rest, 1, RSTART - 1)
	return "{" argno[call, name] ", POLICY_MASKED, " mask ", " substr(rest, RSTART + 2) "}"
}
function rule(   i, j, n) {
	j = ++count[cur]
	calls[cur, j] = $1
	answer[cur, j] = "0"
	conds[cur, j] = ""
	nconds[cur, j] = 0
	shown[cur, j] = $0
	n = NF
	if (n >= 3 && $(n - 1) == "->") {
		if ($n !~ /^E[A-Z0-9]+$/)
			fail("not an errno: " $n)
		answer[cur, j] = $n
		n -= 2
	}
	if (n > 4)
		fail("more than three conditions")
	for (i = 2; i <= n; i++) {
		conds[cur, j] = conds[cur, j] (i > 2 ? ", " : "") cond($1, $i)
		nconds[cur, j]++
	}
}
# base, edge and sanitizers are parts, not processes.
function process(l) {
	return l != "base" && l != "edge" && l != "sanitizers"
}
function value(l, what) {
	return (l, what) in limit ? limit[l, what] : -1
}
END {
	if (bad)
		exit 1
	if (add != "") {
		if (!(add in known)) {
			print "policy.awk: no list " add > "/dev/stderr"
			exit 1
		}
		for (i = 1; i <= nlists; i++)
			if (process(list[i])) {
				cur = list[i]
				take(add)
			}
	}
	if (out == "c")
		source()
	else if (out == "text")
		text()
	else
		fail("out=?")
}
function source(   i, j, l, seen) {
	print "/* Made from policy/ by policy.awk.  Do not edit. */"
	print "#include \"lib/policy.h\"\n"
	print "#include <errno.h>\n#include <fcntl.h>\n#include <netinet/in.h>"
	print "#include <linux/netlink.h>\n#include <seccomp.h>\n#include <stddef.h>"
	print "#include <sys/ioctl.h>\n#include <sys/mman.h>\n#include <sys/prctl.h>"
	print "#include <sys/socket.h>"
	for (i = 1; i <= nlists; i++) {
		l = list[i]
		if (!process(l))
			continue
		print "\nstatic const struct policy_rule rules_" l "[] = {"
		for (j = 1; j <= count[l]; j++) {
			# a rule may come from two includes
			if ((l, shown[l, j]) in once)
				continue
			once[l, shown[l, j]] = 1
			printf "\t{\"%s\", SCMP_SYS(%s), %s, %d,\n\t    {%s}},\n", calls[l, j], calls[l, j], answer[l, j], nconds[l, j], nconds[l, j] ? conds[l, j] : "{0, POLICY_EQUAL, 0, 0}"
		}
		print "};"
	}
	print "\nconst struct policy policy_table[] = {"
	for (i = 1; i <= nlists; i++) {
		l = list[i]
		if (process(l))
			print "\t{\"" l "\", rules_" l ",\n\t    sizeof(rules_" l ") / sizeof(rules_" l "[0]),\n\t    " (l in network ? 1 : 0) ", " value(l, "nproc") ", " value(l, "fsize") "},"
	}
	print "};\nconst size_t policy_table_len =\n    sizeof(policy_table) / sizeof(policy_table[0]);"
}
# Each process's whole list, the parts it includes written out.
function text(   i, j, l) {
	for (i = 1; i <= nlists; i++) {
		l = list[i]
		if (!process(l))
			continue
		print "[" l "]" (l in network ? " (may use the network)" : "")
		for (j = 1; j <= count[l]; j++)
			print "    " shown[l, j]
		print ""
	}
}
