/*
 * refund_bonus.h
 *		What a refund to store credit brings on top.
 */
#ifndef STORECREDIT_REFUND_BONUS_H
#define STORECREDIT_REFUND_BONUS_H

#include "postgres.h"

#include "utils/numeric.h"

#include "money_ccy.h"

/* Half-even to the minor unit. */
extern MoneyCcy percent_of(const MoneyCcy *amount, Numeric percent);

/* As storecredit.refund_bonus has it for the currency; zero if it has nothing. */
extern MoneyCcy default_refund_bonus(const MoneyCcy *amount);

#endif							/* STORECREDIT_REFUND_BONUS_H */
