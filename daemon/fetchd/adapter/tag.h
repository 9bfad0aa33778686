/*
 * tag.h: the extended property in which ORB's meetings carry their tag
 * (ADAPTER_MEET.tag): the same one by Graph and by EWS, so that a change of
 * protocol loses none.
 *
 * It is a named string property of ORB's own property set.  The name compares
 * by case, the value does not (MS-OXPROPS; Graph,
 * "singleValueLegacyExtendedProperty").  Never change either: meetings that
 * exist would not be found any more, and be made a second time.
 */
#ifndef ORB_ADAPTER_TAG_H
#define ORB_ADAPTER_TAG_H

#define TAG_GUID "6f1d2c84-93b7-4e0a-8a55-c2d70b9e41f3"
#define TAG_NAME "OrbReservation"
/* As Graph names it. */
#define TAG_PROPERTY "String {" TAG_GUID "} Name " TAG_NAME

#endif
