# messages.awk: from messages.def to C, to the PROTOCOL table, to a dictionary.
# usage: awk -v out=h|c|doc|dict -f messages.awk messages.def     (POSIX awk)

function fail(s) { print "messages.def:" FNR ": " s > "/dev/stderr"; bad = 1; exit 1 }
function ctype(i) {
	if (ft[i] == "u8") return "uint8_t "
	if (ft[i] == "u16") return "uint16_t "
	if (ft[i] == "u32") return "uint32_t "
	if (ft[i] == "u64") return "uint64_t "
	if (ft[i] == "i64") return "int64_t "
	if (ft[i] == "str" || ft[i] == "text") return "const char *"
	if (ft[i] == "bytes") return "struct wire_bytes "
	if (ft[i] == "strs" || ft[i] == "list") return "struct wire_list "
	if (ft[i] == "struct") return "struct " fx[i] " "
}
function putexpr(i, m) {
	v = m "->" fn[i]
	if (ft[i] ~ /^[ui]/) return "wire_put_" ft[i] "(w, " v ")"
	if (ft[i] == "str" || ft[i] == "text") return "wire_put_str(w, " v ", " fm[i] ")"
	if (ft[i] == "bytes") return "wire_put_bytes(w, " v ", " fm[i] ")"
	if (ft[i] == "strs" || ft[i] == "list") return "wire_put_list(w, &" v ", " fc[i] ")"
	return fx[i] "_put(w, &" v ")"
}
function getexpr(i, m) {
	v = m "->" fn[i]
	if (ft[i] ~ /^[ui]/) return "wire_get_" ft[i] "(r, &" v ")"
	if (ft[i] == "str" || ft[i] == "text") return "wire_get_" ft[i] "(r, &" v ", " fm[i] ")"
	if (ft[i] == "bytes") return "wire_get_bytes(r, &" v ", " fm[i] ")"
	if (ft[i] == "strs") return "wire_get_strs(r, &" v ", " fc[i] ", " fm[i] ")"
	if (ft[i] == "list") return "wire_get_list(r, &" v ", " fc[i] ", " fx[i] "_skip)"
	return fx[i] "_get(r, &" v ")"
}
function size(i) {
	if (ft[i] == "u8") return 1
	if (ft[i] == "u16") return 2
	if (ft[i] == "u32") return 4
	if (ft[i] == "u64" || ft[i] == "i64") return 8
	if (ft[i] == "str" || ft[i] == "text") return 3 + fm[i]
	if (ft[i] == "bytes") return 4 + fm[i]
	if (ft[i] == "strs") return 8 + fc[i] * (3 + fm[i])
	if (ft[i] == "list") return 8 + fc[i] * ssize[fx[i]]
	return ssize[fx[i]]
}
function mask(s,   n, p, i, r) {
	if (s == "*") return "MSG_ANY"
	n = split(s, p, "|"); r = ""
	for (i = 1; i <= n; i++) {
		if (!(("role_" p[i]) in isval)) fail("no role " p[i])
		r = r (r == "" ? "" : " | ") "(1u << ROLE_" toupper(p[i]) ")"
	}
	return r
}
function roles(s) { gsub(/\|/, ", ", s); return s == "*" ? "any" : s }
function describe(i) {
	if (ft[i] == "strs") return fn[i] " (" fc[i] " x str " fm[i] ")"
	if (ft[i] == "list") return fn[i] " (" fc[i] " x " fx[i] ")"
	if (ft[i] == "struct") return fn[i]
	if (fm[i] != "") return fn[i] " (" ft[i] " " fm[i] ")"
	return fn[i] " (" ft[i] ")"
}
function closing() {
	if (cur == "struct") { slo[cname] = first; shi[cname] = nf; t = 0
		for (k = first; k <= nf; k++) t += size(k); ssize[cname] = t }
	if (cur == "message") { mlo[nm] = first; mhi[nm] = nf; t = 0
		for (k = first; k <= nf; k++) t += size(k); msize[nm] = t }
	cur = ""
}
/^[ \t]*#/ || /^[ \t]*$/ { next }
$1 == "enum" { closing(); cur = "enum"; cname = $2; ne++; en[ne] = $2; ev[ne] = 0; next }
$1 == "struct" && NF == 2 && cur != "message" { closing(); cur = "struct"; cname = $2; ns++; sn[ns] = $2; first = nf + 1; next }
$1 == "end" { closing(); next }
$1 == "message" {
	closing(); cur = "message"; nm++; first = nf + 1
	if ($5 != ">" && $4 != ">") fail("FROM > TO expected")
	mcode[nm] = $2; mname[nm] = $3; mfrom[nm] = $4; mto[nm] = $6; mflags[nm] = ""
	if ($2 in seen) fail("code " $2 " is used twice"); seen[$2] = 1
	for (i = 7; i <= NF; i++) mflags[nm] = mflags[nm] " " $i
	next
}
cur == "enum" {
	ev[ne]++; evn[ne, ev[ne]] = $1; isval[en[ne] "_" $1] = 1
	$1 = ""; sub(/^ +/, ""); evt[ne, ev[ne]] = $0; next
}
cur == "struct" || cur == "message" {
	nf++; ft[nf] = $1
	if ($1 == "str" || $1 == "text" || $1 == "bytes") { fm[nf] = $2; fn[nf] = $3 }
	else if ($1 == "strs") { fc[nf] = $2; fm[nf] = $3; fn[nf] = $4 }
	else if ($1 == "list") { fc[nf] = $2; fx[nf] = $3; fn[nf] = $4; if (!(fx[nf] in ssize)) fail("no struct " fx[nf]) }
	else if ($1 == "struct") { fx[nf] = $2; fn[nf] = $3; if (!(fx[nf] in ssize)) fail("no struct " fx[nf]) }
	else if ($1 ~ /^(u8|u16|u32|u64|i64)$/) fn[nf] = $2
	else fail("no type " $1)
	if (fn[nf] == "") fail("field without a name")
	next
}
{ fail("what is this: " $0) }
END {
	if (bad) exit 1
	closing()
	if (out == "h") header(); else if (out == "c") source()
	else if (out == "doc") doc(); else if (out == "dict") dict()
	else { print "messages.awk: out=?" > "/dev/stderr"; exit 1 }
}
function header() {
	print "/* Made from messages.def by messages.awk.  Do not edit. */"
	print "#ifndef ORB_MESSAGES_H\n#define ORB_MESSAGES_H\n"
	print "#include \"lib/wire.h\"\n\nstruct chan;\nstruct packet;\n"
	for (e = 1; e <= ne; e++) {
		print "enum " en[e] " {"
		for (k = 1; k <= ev[e]; k++) print "\t" toupper(en[e]) "_" toupper(evn[e, k]) " = " k - 1 ",\t/* " evt[e, k] " */"
		print "\t" toupper(en[e]) "_COUNT\n};"
		print "/* The value's name in messages.def, or \"?\". */"
		print "const char *" en[e] "_name(unsigned value);\n"
	}
	print "enum msg_type {"
	for (m = 1; m <= nm; m++) print "\tMSG_" mname[m] " = " mcode[m] ","
	print "};\n"
	for (s = 1; s <= ns; s++) {
		print "struct " sn[s] " {"
		for (k = slo[sn[s]]; k <= shi[sn[s]]; k++) print "\t" ctype(k) fn[k] ";"
		print "};"
		print "int " sn[s] "_put(struct wire_out *, const struct " sn[s] " *);"
		print "int " sn[s] "_get(struct wire_in *, struct " sn[s] " *);"
		print "int " sn[s] "_skip(struct wire_in *);"
		print "/* Next item of a list of " sn[s] "; 0 at its end. */"
		print "int " sn[s] "_next(struct wire_in *, struct " sn[s] " *);\n"
	}
	for (m = 1; m <= nm; m++) {
		l = tolower(mname[m])
		print "/* " mname[m] ": " roles(mfrom[m]) " to " roles(mto[m]) mflags[m] " */"
		if (mlo[m] <= mhi[m]) {
			print "struct msg_" l " {"
			for (k = mlo[m]; k <= mhi[m]; k++) print "\t" ctype(k) fn[k] ";"
			print "};"
			print "int " l "_put(struct wire_out *, const struct msg_" l " *);"
			print "int " l "_get(const struct packet *, struct msg_" l " *);"
			arg = ", const struct msg_" l " *"
		} else { print "int " l "_get(const struct packet *);"; arg = "" }
		print "int " l "_send(struct chan *, uint64_t id, unsigned flags" arg (mflags[m] ~ / fd/ ? ", int *fd" : "") ");\n"
	}
	print "#endif"
}
function source() {
	print "/* Made from messages.def by messages.awk.  Do not edit. */"
	print "#include \"lib/messages.h\"\n#include \"lib/chan.h\"\n"
	for (e = 1; e <= ne; e++) {
		print "const char *\n" en[e] "_name(unsigned value)\n{\n\tstatic const char *const name[] = {"
		for (k = 1; k <= ev[e]; k++) print "\t\t\"" evn[e, k] "\","
		print "\t};\n\n\treturn value < " ev[e] " ? name[value] : \"?\";\n}\n"
	}
	for (s = 1; s <= ns; s++) {
		n = sn[s]
		print "int\n" n "_put(struct wire_out *w, const struct " n " *m)\n{"
		for (k = slo[n]; k <= shi[n]; k++) print "\t" putexpr(k, "m") ";"
		print "\treturn w->err;\n}\n"
		print "int\n" n "_get(struct wire_in *r, struct " n " *m)\n{"
		for (k = slo[n]; k <= shi[n]; k++) print "\t" getexpr(k, "m") ";"
		print "\treturn r->err;\n}\n"
		print "int\n" n "_skip(struct wire_in *r)\n{\n\tstruct " n " m;\n\n\treturn " n "_get(r, &m);\n}\n"
		print "int\n" n "_next(struct wire_in *r, struct " n " *m)\n{\n\tif (r->err || r->p == r->end)\n\t\treturn 0;\n\treturn " n "_get(r, m) == 0;\n}\n"
	}
	for (m = 1; m <= nm; m++) {
		l = tolower(mname[m]); has = (mlo[m] <= mhi[m])
		if (has) {
			print "int\n" l "_put(struct wire_out *w, const struct msg_" l " *m)\n{"
			for (k = mlo[m]; k <= mhi[m]; k++) print "\t" putexpr(k, "m") ";"
			print "\treturn w->err;\n}\n"
			print "int\n" l "_get(const struct packet *p, struct msg_" l " *m)\n{"
			print "\tstruct wire_in in = packet_payload(p), *r = &in;\n"
			for (k = mlo[m]; k <= mhi[m]; k++) print "\t" getexpr(k, "m") ";"
			print "\treturn wire_end(r);\n}\n"
		} else
			print "int\n" l "_get(const struct packet *p)\n{\n\tstruct wire_in in = packet_payload(p);\n\n\treturn wire_end(&in);\n}\n"
		print "int\n" l "_send(struct chan *c, uint64_t id, unsigned flags" (has ? ",\n    const struct msg_" l " *m" : "") (mflags[m] ~ / fd/ ? ", int *fd" : "") ")\n{"
		b = "chan_begin(c, MSG_" mname[m] ", id, flags);"
		if (has) print "\tstruct wire_out *w = " b "\n\n\t" l "_put(w, m);"
		else print "\t" b
		print "\treturn chan_commit(c, " (mflags[m] ~ / fd/ ? "fd" : "NULL") ");\n}\n"
		print "static int\n" l "_check(const struct packet *p)\n{"
		if (has) print "\tstruct msg_" l " m;\n\n\treturn " l "_get(p, &m);\n}\n"
		else print "\treturn " l "_get(p);\n}\n"
	}
	print "const struct msg_info msg_table[] = {"
	for (m = 1; m <= nm; m++) {
		f = "0"
		if (mflags[m] ~ / request/) f = f " | MSG_REQUEST"
		if (mflags[m] ~ / answer/) f = f " | MSG_ANSWER"
		if (mflags[m] ~ / final/) f = f " | MSG_FINAL"
		if (mflags[m] ~ / stream/) f = f " | MSG_STREAM"
		if (mflags[m] ~ / fd/) f = f " | MSG_FD"
		if (mflags[m] ~ / memfd/) f = f " | MSG_MEMFD"
		if (mflags[m] ~ / secret/) f = f " | MSG_SECRET"
		max = msize[m]
		if (mflags[m] !~ / memfd/ && max > 16368) max = 16368
		print "\t{ MSG_" mname[m] ", \"" mname[m] "\",\n\t    " mask(mfrom[m]) ",\n\t    " mask(mto[m]) ",\n\t    " f ", " max ", " tolower(mname[m]) "_check },"
	}
	print "};\nconst size_t msg_table_len = sizeof(msg_table) / sizeof(msg_table[0]);"
}
function doc() {
	for (s = 1; s <= ns; s++) {
		print "struct " sn[s]
		for (k = slo[sn[s]]; k <= shi[sn[s]]; k++) print "    " describe(k)
		print ""
	}
	for (m = 1; m <= nm; m++) {
		print mcode[m] " " mname[m] "  " roles(mfrom[m]) " -> " roles(mto[m]) mflags[m] "  (payload <= " msize[m] ")"
		for (k = mlo[m]; k <= mhi[m]; k++) print "    " describe(k)
	}
	print ""
	for (e = 1; e <= ne; e++) {
		print "enum " en[e]
		for (k = 1; k <= ev[e]; k++) printf "    %2d %-12s %s\n", k - 1, evn[e, k], evt[e, k]
	}
}
function dict() {
	for (m = 1; m <= nm; m++) {
		c = substr(mcode[m], 3)
		print "# " mname[m] "\n\"\\x" substr(c, 1, 2) "\\x" substr(c, 3, 2) "\""
	}
	print "\"\\x00\\x00\"\n\"\\xff\\xff\\xff\\xff\"\n\"orb1:\"\n\"2026-12-01T10:00:00Z\""
}
