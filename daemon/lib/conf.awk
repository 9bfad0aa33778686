# conf.awk: from conf.def to the parser's table and to orb.conf(5).
# usage: awk -v out=c|mdoc -f conf.awk conf.def     (POSIX awk)
function fail(s) {
	print "conf.def:" FNR ": " s > "/dev/stderr"
	bad = 1
	exit 1
}
function unquote(s) {
	if (s ~ /^".*"$/)
		s = substr(s, 2, length(s) - 2)
	return s
}
# Takes "KEY>FIELD TYPE ARG ... : text" apart into the arrays.
function setting(line,   colon, head, n, w, i, f) {
	colon = index(line, " : ")
	if (colon == 0)
		fail("no \" : \" before the text")
	head = substr(line, 1, colon - 1)
	ns++
	text[ns] = substr(line, colon + 3)
	def[ns] = ""
	i = index(head, " = ")
	if (i) {
		def[ns] = substr(head, i + 3)
		how[ns] = "default"
		head = substr(head, 1, i - 1)
	}
	n = split(head, w, " ")
	if (how[ns] == "") {
		how[ns] = w[n--]
		if (how[ns] != "required" && how[ns] != "optional")
			fail("neither a default nor required nor optional")
	}
	key[ns] = field[ns] = w[1]
	if ((i = index(w[1], ">"))) {
		key[ns] = substr(w[1], 1, i - 1)
		field[ns] = substr(w[1], i + 1)
	}
	type[ns] = w[2]
	if (!(w[2] in argc))
		fail("no type " w[2])
	if (n - 2 > argc[w[2]] || (n - 2 < argc[w[2]] && w[2] != "url"))
		fail("wrong number of arguments for " w[2])
	arg1[ns] = n > 2 ? w[3] : ""
	arg2[ns] = n > 3 ? w[4] : ""
}
BEGIN {
	argc["string"] = argc["name"] = argc["word"] = argc["enum"] = 1
	argc["url"] = 1
	argc["int"] = 2
	argc["bool"] = argc["proxy"] = argc["ip"] = argc["path"] = 0
	argc["uuid"] = argc["mail"] = argc["zone"] = argc["user"] = 0
	argc["kek"] = argc["pcrs"] = argc["journal"] = 0
	where["ORB_STATEDIR"] = "/var/lib/orb"
	where["ORB_RUNDIR"] = "/run/orb"
}
/^[ \t]*(#|$)/ { next }
$1 == "top" || $1 == "group" || $1 == "list" || $1 == "shared" {
	ng++
	kind[ng] = $1; gname[ng] = $2; gfield[ng] = $3; gtype[ng] = $4
	lo[ng] = ns + 1
	if ($1 == "shared")
		sharedno[$2] = ng
	next
}
$1 == "end" { hi[ng] = ns; next }
$1 == "use" {
	if (!($2 in sharedno))
		fail("no shared " $2)
	g = sharedno[$2]
	for (i = lo[g]; i <= hi[g]; i++) {
		ns++
		key[ns] = key[i]; field[ns] = $3 "." field[i]; type[ns] = type[i]
		arg1[ns] = arg1[i]; arg2[ns] = arg2[i]; def[ns] = def[i]
		how[ns] = how[i]; text[ns] = text[i]
	}
	next
}
{ sub(/^[ \t]+/, ""); setting($0) }
END {
	if (bad)
		exit 1
	if (out == "c")
		source()
	else if (out == "mdoc")
		mdoc()
	else
		fail("out=?")
}
function quote(s) {
	return "\"" s "\""
}
function prefix(g) {
	if (kind[g] == "top" || kind[g] == "list" || gfield[g] == "-")
		return ""
	return gfield[g] "."
}
# The bounds and the list of words of one setting.
function bounds(i) {
	if (type[i] == "int")
		return arg1[i] ", " arg2[i]
	if (type[i] == "string" || type[i] == "name")
		return "1, " arg1[i]
	return "0, 0"
}
function words(i) {
	if (type[i] == "word" || type[i] == "enum" || arg1[i] ~ /^\//)
		return quote(arg1[i])
	return "NULL"
}
function cdefault(i) {
	if (how[i] != "default")
		return "NULL"
	if (def[i] in where)
		return def[i]
	return quote(unquote(def[i]))
}
function source(   g, i, s) {
	print "/* Made from conf.def by conf.awk.  Do not edit. */"
	print "#include \"lib/conf_table.h\"\n\n#include <stddef.h>"
	for (g = 1; g <= ng; g++) {
		if (kind[g] == "shared")
			continue
		s = kind[g] == "list" ? gtype[g] : "conf"
		print "\nstatic const struct conf_setting settings_" g "[] = {"
		for (i = lo[g]; i <= hi[g]; i++)
			print "\t{" quote(key[i]) ", CONF_" toupper(type[i]) ",\n\t    offsetof(struct " s ", " prefix(g) field[i] "),\n\t    " bounds(i) ", " words(i) ", " cdefault(i) ", " (how[i] == "required") "},"
		print "};"
	}
	print "\nconst struct conf_group conf_groups[] = {"
	for (g = 1; g <= ng; g++)
		if (kind[g] != "shared")
			print "\t{" quote(gname[g]) ", CONF_IS_" toupper(kind[g]) ", settings_" g ",\n\t    sizeof(settings_" g ") / sizeof(settings_" g "[0])},"
	print "};\nconst size_t conf_groups_len =\n    sizeof(conf_groups) / sizeof(conf_groups[0]);"
}
# What mdoc(7) would take for markup.
function roff(s) {
	gsub(/\\/, "\\e", s)
	gsub(/-/, "\\-", s)
	gsub(/[.] /, ".\n", s) # a sentence, a line
	return s
}
function allowed(i,   s) {
	if (type[i] == "int")
		return "a whole number from " arg1[i] " to " arg2[i]
	if (type[i] == "word" || type[i] == "enum") {
		s = arg1[i]
		gsub(/\|/, ", ", s)
		return (index(arg1[i], "|") ? "one of " : "") s
	}
	if (type[i] == "string")
		return "text of at most " arg1[i] " bytes"
	if (type[i] == "name")
		return "letters, digits, dots, underscores and hyphens, at most " arg1[i]
	if (type[i] == "url")
		return "an https address" (arg1[i] != "" ? " that ends in " arg1[i] : "") ", without user, password and query"
	return says[type[i]]
}
function mdoc(   g, i, d) {
	says["bool"] = "true or false"
	says["proxy"] = "http://HOST:PORT"
	says["ip"] = "a numeric IPv4 or IPv6 address"
	says["path"] = "an absolute path"
	says["uuid"] = "a UUID"
	says["mail"] = "a mail address"
	says["zone"] = "a name of the time zone database"
	says["user"] = "a user name or a number"
	says["kek"] = "credential:NAME, file:/PATH, tpm: (by way of /dev/tpmrm0), tpm:device:/PATH or tpm:swtpm:host=ADDRESS,port=NUMBER"
	says["pcrs"] = "none, or sha256: and one to eight numbers from 0 to 23 with commas between, as in sha256:0,7"
	says["journal"] = "auto, journald or file:/PATH"
	print ".\\\" From here on made from daemon/lib/conf.def; see `make conf-doc'."
	for (g = 1; g <= ng; g++) {
		if (kind[g] == "shared")
			continue
		if (kind[g] == "top")
			print ".Ss Outside of any group"
		else if (kind[g] == "group")
			print ".Ss The group " gname[g]
		else
			print ".Ss The list " gname[g] "\nEach room is a group in the list.\nThere may be none."
		print ".Bl -tag -width Ds"
		for (i = lo[g]; i <= hi[g]; i++) {
			print ".It Va " key[i]
			print roff(text[i])
			print "Allowed:"
			print roff(allowed(i) ".")
			d = unquote(def[i])
			if (def[i] in where)
				d = where[def[i]]
			if (how[i] == "required")
				print "Required."
			else if (how[i] == "default")
				print "Default:\n.Ql " roff(d) " ."
		}
		print ".El"
	}
	print ".\\\" Up to here made from daemon/lib/conf.def."
}
