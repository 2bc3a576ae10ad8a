/*
 * customer.h
 *		What callers of level "customer" may see through the functions in C.
 */
#ifndef STORECREDIT_CUSTOMER_H
#define STORECREDIT_CUSTOMER_H

#include "postgres.h"

#include "ledger.h"

/* Whether the caller may see that account, if there is one: everybody may, but a customer only the own. */
extern bool may_see_account(const AccountRef *ref);

#endif							/* STORECREDIT_CUSTOMER_H */
