/*
 * ews_order.h: what the schema of Exchange Web Services says of a request: the
 * order of elements, which must be there, and the words that attributes take.
 * Exchange refuses whatever differs (ErrorSchemaValidation).
 */
#ifndef ORB_TEST_EWS_ORDER_H
#define ORB_TEST_EWS_ORDER_H

#include <stddef.h>

/* 0; or -1 and what is wrong with the request. */
int ews_order_check(const char *request, char *why, size_t size);

#endif
