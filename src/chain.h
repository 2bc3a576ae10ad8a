/*
 * chain.h
 *		The chain of hashes through an account's history.
 *
 * Every entry of an account with a chain has a SHA-256 over what it says and the
 * hash of the entry before it; the account has the newest.  An account without
 * last_hash has no chain.  doc/tamper_evidence.md defines what is hashed.
 */
#ifndef STORECREDIT_CHAIN_H
#define STORECREDIT_CHAIN_H

#include "postgres.h"

#include "ledger_types.h"

#define CHAIN_HASH_LENGTH	32

/* Whether a stored value can be a hash. */
extern bool is_chain_hash(const bytea *value);

/* A hash out of a row of storecredit.account, or NULL, in the current memory context. */
extern bytea *copy_last_hash(int64 account_id, Datum value, bool isnull);

/* Makes an entry the next in the chain of its account. */
extern void chain_entry(Account *account, Entry *entry);

/* What the hash of an entry must be; its columns are those of store_rows.h. */
extern void hash_entry_row(const uint8 *previous, const Datum *values, const bool *isnull, uint8 *hash);

/* 27000 unless a row that was written is what was hashed. */
extern void require_chained_row(const Entry *entry, HeapTuple row, TupleDesc desc);

#endif							/* STORECREDIT_CHAIN_H */
