# events.awk: from events.def to C and to the journal catalog.
# usage: awk -v out=h|c|catalog -f events.awk events.def     (POSIX awk)
function quote(s) { gsub(/\\/, "\\\\", s); gsub(/"/, "\\\"", s); return "\"" s "\"" }
state == 0 && /^[ \t]*(#|$)/ { next }
state == 0 && $1 == "event" {
	n++; code[n] = $2; name[n] = $3; prio[n] = $4; id[n] = $5; state = 1
	if ($2 in seen || length($5) != 32) { print "events.def:" FNR ": code used twice or MESSAGE_ID not 32 digits" > "/dev/stderr"; exit 1 }
	seen[$2] = 1; next
}
state == 1 { subject[n] = $0; text[n] = ""; state = 2; next }
state == 2 && $0 == "." { state = 0; next }
state == 2 { text[n] = text[n] $0 "\n"; next }
{ print "events.def:" FNR ": what is this: " $0 > "/dev/stderr"; exit 1 }
END {
	level["crit"] = 2; level["err"] = 3; level["warning"] = 4; level["notice"] = 5; level["info"] = 6
	if (out == "h") {
		print "/* Made from events.def by events.awk.  Do not edit. */"
		print "#ifndef ORB_EVENTS_H\n#define ORB_EVENTS_H\n\n#include <stdint.h>\n\nenum event {"
		for (i = 1; i <= n; i++) print "\tEV_" toupper(name[i]) " = " code[i] ","
		print "};\n\nstruct event_info {\n\tuint16_t code;\n\tuint8_t priority; /* syslog */\n\tconst char *name;\n\tconst char *message_id;\n\tconst char *subject;\n};"
		print "/* The row of a code, or NULL. */\nconst struct event_info *event_find(unsigned code);\n\n#endif"
	} else if (out == "c") {
		print "/* Made from events.def by events.awk.  Do not edit. */"
		print "#include \"lib/events.h\"\n\n#include <stddef.h>\n\nstatic const struct event_info table[] = {"
		for (i = 1; i <= n; i++) print "\t{ " code[i] ", " level[prio[i]] ", \"" name[i] "\", \"" id[i] "\",\n\t    " quote(subject[i]) " },"
		print "};\n\nconst struct event_info *\nevent_find(unsigned code)\n{\n\tfor (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)\n\t\tif (table[i].code == code)\n\t\t\treturn &table[i];\n\treturn NULL;\n}"
	} else
		for (i = 1; i <= n; i++) print "-- " id[i] "\nSubject: " subject[i] "\nDefined-By: ORB\n\n" text[i]
}
