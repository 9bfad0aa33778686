/*
 * cert.h: the simulator's own certificates.
 */
#ifndef ORB_SIM_CERT_H
#define ORB_SIM_CERT_H

enum tls_mode { TLS_GOOD, TLS_SELFSIGNED, TLS_WRONGHOST, TLS_EXPIRED };

int cert_make(const char *, enum tls_mode, const char *, char **, char **);

#endif
