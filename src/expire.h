/*
 * expire.h
 *		The sweep: booking what has expired, whoever drives it.
 */
#ifndef STORECREDIT_EXPIRE_H
#define STORECREDIT_EXPIRE_H

#include "postgres.h"

/* How many credits expired and holds ended; at about max_credits it stops. */
extern int64 expire_credits(int64 max_credits);

#endif							/* STORECREDIT_EXPIRE_H */
