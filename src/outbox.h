/*
 * outbox.h
 *		The outbox: of which transactions customers are to be told.
 *
 * Rows come into it with the money (booking.c) and from reminders (remind.c).
 */
#ifndef STORECREDIT_OUTBOX_H
#define STORECREDIT_OUTBOX_H

#include "postgres.h"

/* storecredit.notify_kinds: a bit for each kind; 0, for none, is all that most calls look at. */
extern uint32 storecredit_notify_kinds;

extern bool is_notified_kind(const char *kind);

extern void define_outbox_setting(void);

/* Wakes the mailers if there is something for them, once the transaction commits. */
extern void notify_if_waiting(void);

#endif							/* STORECREDIT_OUTBOX_H */
