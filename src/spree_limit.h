/*
 * spree_limit.h
 *		What the owner of a shop's store credit may have in a currency.
 */
#ifndef STORECREDIT_SPREE_LIMIT_H
#define STORECREDIT_SPREE_LIMIT_H

#include "postgres.h"

#include "spree_rules.h"

/* Three upper-case letters; NULL is none. */
extern bool is_spree_currency(const char *code);

/* "user_id", or what later versions call it. */
extern const char *spree_owner_column(Relation credits);

extern void judge_limit(const SpreeGuard *guard);

#endif							/* STORECREDIT_SPREE_LIMIT_H */
