/*
 * identity.h: what makes two sightings the same booking.
 *
 * A booking is (room mailbox, uid, original start).  Its key is the SHA-256 of
 * these three in canonical form; its link, which stands in TOPdesk's
 * externalLink, is "orb1:" and the key in base32 (RFC 4648, lower case, no
 * padding).  A booking that was cancelled and comes back gets a new
 * reservation, whose link ends in ".2", ".3"...: a link can be set once only.
 * A meeting that ORB makes for a reservation carries the tag "topdesk:" and the
 * reservation's id.
 */
#ifndef ORB_IDENTITY_H
#define ORB_IDENTITY_H

#include <stdint.h>

#define KEY_LEN 32
#define IDENTITY_LINK_MAX 64 /* bytes, its zero byte among them */
/*
 * The first generation of a booking that was made in TOPdesk: its link ends in
 * ".t".  So it is known after the state was lost whose text counts.
 */
#define GEN_TOPDESK 255

/* original_start: seconds UTC, 0 for a single meeting.  mailbox in lower case. */
void identity_key(const char *mailbox, const char *uid, int64_t original_start,
    uint8_t key[KEY_LEN]);
/*
 * Of a reservation that is in no agreed row and has no link of this room's: of
 * mailbox and reservation id.  No meeting has such a key.
 */
void identity_provisional(
    const char *mailbox, const char *reservation, uint8_t key[KEY_LEN]);
/* gen from 1, or GEN_TOPDESK. */
void identity_link(
    const uint8_t key[KEY_LEN], unsigned gen, char link[IDENTITY_LINK_MAX]);
/* 0, or -1 when it is no link of ORB's. */
int identity_parse(const char *link, uint8_t key[KEY_LEN], unsigned *gen);

#endif
