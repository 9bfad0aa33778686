/*
 * control.c: the control socket, DIR/control.sock: one JSON object a line in,
 * {"cmd":NAME, ...}, and one a line out; {"error":TEXT} when it did not work.
 * The table below is the whole reference; {"cmd":"help"} returns it.  Times
 * are ISO 8601, with Z or an offset; without, they are wall times of `zone'.
 * Members in [brackets] may be left out.
 *
 * What the commands do is in control_*.c.  The main thread runs here.
 */
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <err.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control.h"

static command_fn cmd_help, cmd_shutdown;

static const struct command {
	const char *name;
	command_fn *run;
	const char *members;
	const char *text;
} commands[] = {{"ping", cmd_ping, "", "answers {\"ok\":true}"},
    {"help", cmd_help, "", "this table"},
    {"shutdown", cmd_shutdown, "", "ends the simulator"},
    /* the world */
    {"add_room", cmd_add_room,
	"mailbox,[name],[zone],[location],[unmapped],"
	"[settings{add_organizer_to_subject,delete_subject,delete_comments,"
	"remove_private,remove_cancelled,allow_conflicts,auto_accept,"
	"silent,accept_delay_ms,booking_window_days,enforce_horizon,"
	"maximum_duration_minutes,maximum_conflict_instances}]",
	"a room mailbox, and a TOPdesk location of the name `location' "
	"(default: "
	"the room's; none when unmapped); again for a known room to change it; "
	"-> {mailbox,name,location}"},
    {"location_set", cmd_location_set,
	"location,[block_minutes],[hidden],"
	"[archived],[capacity]",
	"block time, branch filter, archive"},
    {"add_person", cmd_add_person, "email or name,[archived],[mailbox]",
	"a person of TOPdesk and (unless mailbox is false) a mailbox; -> {id}"},
    {"bulk_load", cmd_bulk_load,
	"[rooms 200],[meetings_per_room 50],"
	"[series_share 0.2],[occurrences 6],[seed 1],[start],[weeks 12],[zone],"
	"[organisers 100],[prefix],[settings]",
	"rooms, locations, persons and meetings without conflicts; "
	"-> {rooms:[{name,mailbox,location}],meetings,bookings}"},
    {"set", cmd_set, "key,value",
	"keys: token_lifetime (s), expire_tokens, conflict (stored|refused), "
	"page_size, empty_pages, replay (every nth line twice), "
	"accept_delay_ms, "
	"out_of_scope (list of mailboxes), rooms_only, service_mailbox, "
	"unknown_organisers, lost_organisers (lists: EWS has no address of "
	"theirs but in the item, and not even there), "
	"enforce "
	"(429 above 4 at a time), latency_ms (all, or {graph,topdesk,login}), "
	"duplicate_transaction (same|409|400), "
	"ews_login, ews_password, ews_unlock, sync_state_bytes, "
	"permissions {read,create,edit,locations,persons}, account (bool), "
	"default_reason (bool)"},
    /* Outlook */
    {"meeting_create", cmd_meeting_create,
	"organiser,start,end,[subject],"
	"[body],[rooms],[zone],[all_day],[private],[attendees],[recurrence "
	"{pattern,range} as in Graph],[uid],[person],[location],"
	"[zone_name_shown],[response_requested]",
	"makes the organiser, and a person for him unless person is false; "
	"-> {id,uid,responses}"},
    {"meeting_get", cmd_meeting_get, "uid", "-> the organiser's view"},
    {"meeting_move", cmd_meeting_move, "uid,start,end,[zone],[all_day]", ""},
    {"meeting_rooms", cmd_meeting_rooms, "uid,rooms",
	"other rooms: cancelled in those left, new in those joined"},
    {"meeting_subject", cmd_meeting_subject, "uid,[subject],[body],[private]",
	""},
    {"meeting_cancel", cmd_meeting_cancel, "uid", "rooms keep it as cancelled"},
    {"meeting_delete", cmd_meeting_delete, "uid,[room]",
	"vanishes without a trace, from one room or from all"},
    {"meeting_respond", cmd_meeting_respond, "uid,room,response",
	"tentative|accepted|declined|waiting, by hand; room may be a person"},
    {"occurrence_move", cmd_occurrence_move,
	"uid,original_start,start,end,"
	"[subject],[zone],[all_day]",
	""},
    {"occurrence_cancel", cmd_occurrence_cancel, "uid,original_start",
	"rooms keep it as a cancelled exception"},
    {"occurrence_delete", cmd_occurrence_delete, "uid,original_start",
	"no trace but cancelledOccurrences of the master"},
    {"occurrence_rooms", cmd_occurrence_rooms, "uid,original_start,rooms",
	"one date in these rooms; the series stays where it is"},
    {"series_repattern", cmd_series_repattern,
	"uid,recurrence,[start],[end],"
	"[zone]",
	"a new pattern; exceptions are lost"},
    {"mails", cmd_mails, "[since]",
	"what Exchange would have sent -> {total,to_people,to_rooms,"
	"by_kind{invitation,update,cancellation,response},people_by_kind,"
	"rooms_by_kind,list[{n,kind,from,to,uid,subject,to_room}],next}; at "
	"most 1000 of the list from number `since' on, the latest 4096 are "
	"kept; go on with since=next"},
    {"mails_reset", cmd_mails_reset, "", ""},
    /* TOPdesk */
    {"reservation_create", cmd_reservation_create,
	"location or locations,start,end,"
	"requester (address or id),[briefDescription],[link_id,link_type],"
	"[status request],[services [{name,lead_minutes,from_hour,to_hour}]],"
	"[issued],[archived],[series]",
	"location by id or name; -> {id,number,status}"},
    {"reservation_status", cmd_reservation_status, "id,status",
	"approved|rejected|request, by an operator's hand"},
    {"reservation_move", cmd_reservation_move, "id,start,end", ""},
    {"reservation_cancel", cmd_reservation_cancel, "id", ""},
    {"reservation_change", cmd_reservation_change,
	"id,[briefDescription],"
	"[requester],[issued],[archived],[series]",
	""},
    {"reservation_room", cmd_reservation_room, "id,location", ""},
    {"reservation_get", cmd_reservation_get, "id", "as the API shows it"},
    /* seen from outside */
    {"register_certificate", cmd_register_certificate, "pem",
	"for client assertions; -> {sha256}"},
    {"fault", cmd_fault,
	"kind,[endpoint],[listener],[count 1],[skip],"
	"[probability],[seed],[retry_after 1],[ms],[location],[status],[body],"
	"[mailbox]",
	"kinds: 429 429_no_retry 503 500_html cut_before cut_after truncate "
	"slow "
	"delay foreign_nextlink redirect 401 expired_token 410 inner_429 "
	"bad_json "
	"huge ews_fault ews_error (location: its code) answer (status and "
	"body as given, inside a batch too); on EWS 429 is "
	"ErrorServerBusy (ms or retry_after: the back-off; location http: "
	"HTTP's own 429) and 410 an invalid sync state; mailbox: only what is "
	"about that one; endpoint is a glob over METHOD /template as counters "
	"shows it, "
	"or "
	"METHOD /path; listener login|graph|topdesk|ews; count -1: for ever"},
    {"ews", cmd_ews, "",
	"-> {login,failed_logins,locked,without_anchor,other_anchor}: what "
	"EWS saw of logins and of X-AnchorMailbox"},
    {"faults_clear", cmd_faults_clear, "", ""},
    {"counters", cmd_counters, "",
	"requests, credentials, concurrency, faults"},
    {"counters_reset", cmd_counters_reset, "", "violations, too"},
    {"violations", cmd_violations, "", "-> {count,violations:[first 100]}"},
    {"record", cmd_record, "[file]",
	"writes down each request from now on "
	"(record.c); without file ends that; -> {requests} of the file ended"},
    {"dump", cmd_dump, "side exchange|topdesk,[from],[to]",
	"-> {rows}: "
	"{room,location,uid,original_start,start,end,all_day,subject,"
	"organiser,state} or {id,number,location,start,end,status,"
	"briefDescription,requester_email,external_link}"},
    {"compare", cmd_compare,
	"[from],[to],[link_type],[fallback (address)],"
	"[tentative (count them as booked)]",
	"both ways -> {equal,rooms,bookings,reservations,duplicate_tags,"
	"duplicate_links,missing,extra,different,duplicates}, lists cut at 50, "
	"with their full lengths in *_count"},
    {NULL, NULL, NULL, NULL}};

#define CLIENTS 32

static struct client {
	int fd;
	struct text in;
} clients[CLIENTS];
static size_t nclients;
static int listener = -1, signals = -1, stopping;
static char *socket_path;

const char *
arg_text(json_t *a, const char *name)
{
	return json_string_value(json_object_get(a, name));
}

int
arg_int(json_t *a, const char *name, int otherwise)
{
	json_t *v = json_object_get(a, name);

	if (json_is_boolean(v))
		return json_is_true(v);
	return json_is_number(v) ? (int)json_number_value(v) : otherwise;
}

/* A time; without an offset it is wall time of the zone, or UTC. */
int
arg_time(json_t *a, const char *name, const struct zone *z, int64_t *t)
{
	int offset;

	if (when_parse(arg_text(a, name), t, &offset) == -1)
		return -1;
	if (!offset && z != NULL)
		*t = zone_utc(z, *t);
	return 0;
}

json_t *
done(void)
{
	return json_pack("{s:b}", "ok", 1);
}

static json_t *
cmd_help(json_t *a, const char **why)
{
	json_t *o = json_object();
	const struct command *c;

	(void)a;
	(void)why;
	for (c = commands; c->name != NULL; c++)
		json_object_set_new(o, c->name,
		    json_pack(
			"{s:s,s:s}", "members", c->members, "text", c->text));
	return o;
}

static json_t *
cmd_shutdown(json_t *a, const char **why)
{
	(void)a;
	(void)why;
	stopping = 1;
	return done();
}

static char *
control_command(const char *line, size_t len)
{
	json_t *in = json_loadb(line, len, 0, NULL), *out = NULL;
	const char *name = arg_text(in, "cmd"), *why = "bad arguments";
	const struct command *c;
	char *text;

	for (c = commands; name != NULL && c->name != NULL; c++)
		if (strcmp(c->name, name) == 0)
			break;
	if (in == NULL)
		why = "not a JSON object";
	else if (name == NULL || c->name == NULL)
		why = "no such command; ask help";
	else {
		pthread_mutex_lock(&store_lock);
		booking_tick(when_ms());
		out = c->run(in, &why);
		pthread_mutex_unlock(&store_lock);
	}
	if (out == NULL)
		out = json_pack("{s:s}", "error", why);
	text = json_dumps(out, JSON_COMPACT);
	json_decref(in);
	json_decref(out);
	return text;
}

void
control_open(const char *dir)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)pthread_sigmask(SIG_BLOCK, &set, NULL);
	signals = signalfd(-1, &set, SFD_CLOEXEC);
	socket_path = text_print("%s/control.sock", dir);
	if (strlen(socket_path) >= sizeof(un.sun_path))
		errx(1, "%s: too long for a socket", socket_path);
	memcpy(un.sun_path, socket_path, strlen(socket_path) + 1);
	(void)unlink(socket_path);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener == -1 || signals == -1 || fchmod(listener, 0600) == -1 ||
	    bind(listener, (struct sockaddr *)&un, sizeof(un)) == -1 ||
	    listen(listener, 16) == -1)
		err(1, "%s", socket_path);
}

static int
send_all(int fd, const char *s, size_t n)
{
	ssize_t w;

	while (n > 0) {
		if ((w = send(fd, s, n, MSG_NOSIGNAL)) <= 0)
			return -1;
		s += w;
		n -= (size_t)w;
	}
	return 0;
}

/* Answers the complete lines of a client: -1 when it is to be closed. */
static int
client_lines(struct client *c)
{
	char *end, *out;
	int bad = 0;

	while (!bad && c->in.len > 0 &&
	    (end = memchr(c->in.b, '\n', c->in.len)) != NULL) {
		out = control_command(c->in.b, (size_t)(end - c->in.b));
		bad = send_all(c->fd, out, strlen(out)) == -1 ||
		    send_all(c->fd, "\n", 1) == -1;
		free(out);
		c->in.len -= (size_t)(end + 1 - c->in.b);
		memmove(c->in.b, end + 1, c->in.len + 1);
	}
	return bad ? -1 : 0;
}

static void
client_read(struct client *c)
{
	char buf[65536];
	ssize_t n = read(c->fd, buf, sizeof(buf));

	if (n > 0) {
		text_add(&c->in, buf, (size_t)n);
		if (client_lines(c) == 0)
			return;
	}
	(void)close(c->fd);
	text_free(&c->in);
	*c = clients[--nclients];
}

void
control_run(void)
{
	struct pollfd p[CLIENTS + 2];
	size_t i;
	int fd;

	while (!stopping) {
		p[0] = (struct pollfd){.fd = signals, .events = POLLIN};
		p[1] = (struct pollfd){
		    .fd = nclients < CLIENTS ? listener : -1, .events = POLLIN};
		for (i = 0; i < nclients; i++)
			p[2 + i] = (struct pollfd){
			    .fd = clients[i].fd, .events = POLLIN};
		if (poll(p, nclients + 2, -1) == -1)
			continue;
		if (p[0].revents)
			break;
		for (i = nclients; i > 0; i--)
			if (p[1 + i].revents)
				client_read(&clients[i - 1]);
		if (p[1].revents &&
		    (fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) != -1)
			clients[nclients++] = (struct client){.fd = fd};
	}
}

void
control_close(void)
{
	while (nclients > 0) {
		(void)close(clients[--nclients].fd);
		text_free(&clients[nclients].in);
	}
	(void)close(listener);
	(void)close(signals);
	(void)unlink(socket_path);
	free(socket_path);
}
