/*
 * marks.h: bits of booking.marks: what is known of a reservation or meeting
 * beyond the record's own fields, and decides what may be done with it.
 */
#ifndef ORB_MARKS_H
#define ORB_MARKS_H

enum mark {
	MARK_ISSUED = 1,   /* a facility is handed out: not to be touched */
	MARK_ARCHIVED = 2, /* the API refuses every change */
	MARK_SERVICES = 4, /* has services */
	MARK_SERIES = 8,   /* part of a TOPdesk series */
	MARK_SEVERAL_ROOMS = 16, /* reserves more than one facility */
	MARK_FOREIGN_LINK = 32,  /* its link is another integration's */
	MARK_BROKEN = 64,   /* a part could not be understood; see change_tag */
	MARK_FREE = 128,    /* Exchange shows the time as free */
	MARK_PRIVATE = 256, /* Exchange: marked private */
	MARK_ROOM_OWN = 512,  /* Exchange: made in the room's own calendar */
	MARK_DECLINED = 1024, /* Exchange: the room said no (with cancelled) */
};

#endif
