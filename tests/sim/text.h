/*
 * text.h: growable text, JSON strings and URL escapes.
 */
#ifndef ORB_SIM_TEXT_H
#define ORB_SIM_TEXT_H

#include <stddef.h>

struct text {
	char *b; /* NUL terminated once anything was put */
	size_t len;
	size_t cap;
};

void text_add(struct text *, const char *, size_t);
void text_str(struct text *, const char *);
void text_fmt(struct text *, const char *, ...)
    __attribute__((format(printf, 2, 3)));
void text_json(struct text *, const char *);
void text_free(struct text *);

char *text_decode(const char *, size_t, int);
char *text_dup(const char *);
char *text_print(const char *, ...) __attribute__((format(printf, 1, 2)));
void *zalloc(size_t);
void *grow(void *, size_t, size_t);
void set_text(char **, const char *);
size_t base64(char *, const unsigned char *, size_t);
int unbase64(unsigned char *, size_t, const char *, size_t);

#endif
