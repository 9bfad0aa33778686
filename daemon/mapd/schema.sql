-- schema.sql: mapd's state.  The build makes a C string of it (schema.h).
-- Instants are seconds UTC.  key is SHA-256 (identity.h), print and hash are
-- keyed fingerprints (seal.h).  No column holds a subject or an address but
-- payload and cursor, and those are sealed.

CREATE TABLE meta (
	name TEXT PRIMARY KEY,
	value BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE room (
	id INTEGER PRIMARY KEY,
	hash BLOB NOT NULL UNIQUE,	-- of mailbox and location
	win_from INTEGER NOT NULL DEFAULT 0,
	win_to INTEGER NOT NULL DEFAULT 0,
	based INTEGER NOT NULL DEFAULT 0,
	cursor BLOB			-- sealed; NULL: none
);

-- Exchange's id of a series stands once, however many occurrences it has.
CREATE TABLE series (
	id INTEGER PRIMARY KEY,
	remote TEXT NOT NULL UNIQUE
);

-- Exchange as seen.  Stored in the order in which it is read: by room and key.
CREATE TABLE seen (
	room INTEGER NOT NULL,
	key BLOB NOT NULL,
	print BLOB NOT NULL,
	start INTEGER NOT NULL,
	stop INTEGER NOT NULL,
	changed INTEGER NOT NULL,
	grp INTEGER NOT NULL,
	person INTEGER NOT NULL DEFAULT 0,
	marks INTEGER NOT NULL,
	state INTEGER NOT NULL,
	gone INTEGER NOT NULL,
	series INTEGER,
	remote TEXT NOT NULL,
	PRIMARY KEY (room, key)
) WITHOUT ROWID;

-- What both systems agreed on last.
CREATE TABLE agreed (
	room INTEGER NOT NULL,
	key BLOB NOT NULL,
	ex_print BLOB NOT NULL,
	td_print BLOB NOT NULL,
	start INTEGER NOT NULL,
	stop INTEGER NOT NULL,
	changed INTEGER NOT NULL,
	grp INTEGER NOT NULL,
	gen INTEGER NOT NULL,
	dead INTEGER NOT NULL,		-- enum dead
	origin INTEGER NOT NULL DEFAULT 0,	-- enum origin
	await INTEGER NOT NULL DEFAULT 0,
	was_start INTEGER NOT NULL DEFAULT 0,
	was_stop INTEGER NOT NULL DEFAULT 0,
	remote TEXT NOT NULL,
	number TEXT NOT NULL,
	PRIMARY KEY (room, key)
) WITHOUT ROWID;
CREATE INDEX agreed_remote ON agreed (remote) WHERE remote <> '';

-- The journal.  AUTOINCREMENT: an id is never used again, so that "id > after"
-- walks it once.  payload stands last: a row is read without it for nothing.
CREATE TABLE act (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	room INTEGER NOT NULL,
	key BLOB NOT NULL,
	state INTEGER NOT NULL,		-- enum act_state
	kind INTEGER NOT NULL,		-- kind to print: its aim
	change INTEGER NOT NULL,
	gen INTEGER NOT NULL,
	why INTEGER NOT NULL,		-- enum plan_reason
	start INTEGER NOT NULL,
	stop INTEGER NOT NULL,
	print BLOB NOT NULL,
	tries INTEGER NOT NULL,
	created INTEGER NOT NULL,
	next_try INTEGER NOT NULL,
	grp INTEGER NOT NULL,
	remote TEXT NOT NULL,
	number TEXT NOT NULL,
	reason TEXT NOT NULL,
	payload BLOB NOT NULL
);
CREATE UNIQUE INDEX act_key ON act (room, key);
CREATE INDEX act_due ON act (state, id, next_try);
-- Actions that make room in TOPdesk: changes (2) and cancellations (3).
CREATE INDEX act_frees ON act (room) WHERE kind IN (2, 3);
-- Meetings that are being made (12), by their reservation and by room.
CREATE INDEX act_meets ON act (remote) WHERE kind = 12;
CREATE INDEX act_meeting ON act (room) WHERE kind = 12;
CREATE INDEX act_next ON act (next_try) WHERE state IN (1, 3);

-- Two bookings that wanted one room and time (PLAN_CLASH).  Kept for a while
-- after it ended: settled says when.
CREATE TABLE conflict (
	room INTEGER NOT NULL,
	key BLOB NOT NULL,
	since INTEGER NOT NULL,
	start INTEGER NOT NULL,
	stop INTEGER NOT NULL,
	number TEXT NOT NULL,
	rival TEXT NOT NULL,
	policy INTEGER NOT NULL,
	loser INTEGER NOT NULL,
	why INTEGER NOT NULL,		-- enum plan_reason
	settled INTEGER NOT NULL,
	PRIMARY KEY (room, key)
) WITHOUT ROWID;

CREATE TABLE problem (
	room INTEGER NOT NULL,
	key BLOB NOT NULL,
	since INTEGER NOT NULL,
	next_try INTEGER NOT NULL,
	tries INTEGER NOT NULL,
	text TEXT NOT NULL,
	kept INTEGER NOT NULL DEFAULT 0,	-- struct problem
	PRIMARY KEY (room, key)
) WITHOUT ROWID;
