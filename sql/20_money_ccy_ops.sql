-- Order, hashing, arithmetic and aggregates of money_ccy.
--
-- The order is by currency and then by amount, so that indexes, sorts and joins work over many currencies;
-- arithmetic over two currencies is an error.

CREATE FUNCTION money_ccy_eq(money_ccy, money_ccy) RETURNS boolean
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION money_ccy_eq(money_ccy, money_ccy) IS 'implementation of = operator';

CREATE FUNCTION money_ccy_ne(money_ccy, money_ccy) RETURNS boolean
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION money_ccy_ne(money_ccy, money_ccy) IS 'implementation of <> operator';

CREATE FUNCTION money_ccy_lt(money_ccy, money_ccy) RETURNS boolean
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION money_ccy_lt(money_ccy, money_ccy) IS 'implementation of < operator';

CREATE FUNCTION money_ccy_le(money_ccy, money_ccy) RETURNS boolean
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION money_ccy_le(money_ccy, money_ccy) IS 'implementation of <= operator';

CREATE FUNCTION money_ccy_gt(money_ccy, money_ccy) RETURNS boolean
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION money_ccy_gt(money_ccy, money_ccy) IS 'implementation of > operator';

CREATE FUNCTION money_ccy_ge(money_ccy, money_ccy) RETURNS boolean
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION money_ccy_ge(money_ccy, money_ccy) IS 'implementation of >= operator';

CREATE OPERATOR = (
	LEFTARG = money_ccy, RIGHTARG = money_ccy, FUNCTION = money_ccy_eq,
	COMMUTATOR = =, NEGATOR = <>, RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES
);
COMMENT ON OPERATOR = (money_ccy, money_ccy) IS 'same currency and same amount';

CREATE OPERATOR <> (
	LEFTARG = money_ccy, RIGHTARG = money_ccy, FUNCTION = money_ccy_ne,
	COMMUTATOR = <>, NEGATOR = =, RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR <> (money_ccy, money_ccy) IS 'another currency or another amount';

CREATE OPERATOR < (
	LEFTARG = money_ccy, RIGHTARG = money_ccy, FUNCTION = money_ccy_lt,
	COMMUTATOR = >, NEGATOR = >=, RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR < (money_ccy, money_ccy) IS 'before, by currency code and then by amount';

CREATE OPERATOR <= (
	LEFTARG = money_ccy, RIGHTARG = money_ccy, FUNCTION = money_ccy_le,
	COMMUTATOR = >=, NEGATOR = >, RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR <= (money_ccy, money_ccy) IS 'before or equal, by currency code and then by amount';

CREATE OPERATOR > (
	LEFTARG = money_ccy, RIGHTARG = money_ccy, FUNCTION = money_ccy_gt,
	COMMUTATOR = <, NEGATOR = <=, RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR > (money_ccy, money_ccy) IS 'after, by currency code and then by amount';

CREATE OPERATOR >= (
	LEFTARG = money_ccy, RIGHTARG = money_ccy, FUNCTION = money_ccy_ge,
	COMMUTATOR = <=, NEGATOR = <, RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR >= (money_ccy, money_ccy) IS 'after or equal, by currency code and then by amount';

-- Operator classes

CREATE FUNCTION money_ccy_cmp(money_ccy, money_ccy) RETURNS integer
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION money_ccy_cmp(money_ccy, money_ccy) IS 'less than, equal to or greater than zero as the first is before, equal to or after the second';

CREATE FUNCTION money_ccy_sortsupport(internal) RETURNS void
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION money_ccy_sortsupport(internal) IS 'sort support of money_ccy';

CREATE OPERATOR FAMILY money_ccy_ops USING btree;
COMMENT ON OPERATOR FAMILY money_ccy_ops USING btree IS 'order of money_ccy: by currency code, then by amount';

CREATE OPERATOR CLASS money_ccy_ops DEFAULT FOR TYPE money_ccy USING btree FAMILY money_ccy_ops AS
	OPERATOR 1 <,
	OPERATOR 2 <=,
	OPERATOR 3 =,
	OPERATOR 4 >=,
	OPERATOR 5 >,
	FUNCTION 1 money_ccy_cmp(money_ccy, money_ccy),
	FUNCTION 2 money_ccy_sortsupport(internal),
	FUNCTION 4 btequalimage(oid);
COMMENT ON OPERATOR CLASS money_ccy_ops USING btree IS 'order of money_ccy: by currency code, then by amount';

CREATE FUNCTION money_ccy_hash(money_ccy) RETURNS integer
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION money_ccy_hash(money_ccy) IS 'hash of money_ccy, 32 bits';

CREATE FUNCTION money_ccy_hash_extended(money_ccy, bigint) RETURNS bigint
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION money_ccy_hash_extended(money_ccy, bigint) IS 'hash of money_ccy, 64 bits, with a seed';

CREATE OPERATOR FAMILY money_ccy_ops USING hash;
COMMENT ON OPERATOR FAMILY money_ccy_ops USING hash IS 'equality of money_ccy: same currency and same amount';

CREATE OPERATOR CLASS money_ccy_ops DEFAULT FOR TYPE money_ccy USING hash FAMILY money_ccy_ops AS
	OPERATOR 1 =,
	FUNCTION 1 money_ccy_hash(money_ccy),
	FUNCTION 2 money_ccy_hash_extended(money_ccy, bigint);
COMMENT ON OPERATOR CLASS money_ccy_ops USING hash IS 'equality of money_ccy: same currency and same amount';

-- Arithmetic

CREATE FUNCTION money_ccy_add(money_ccy, money_ccy) RETURNS money_ccy
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION money_ccy_add(money_ccy, money_ccy) IS 'implementation of + operator';

CREATE OPERATOR + (
	LEFTARG = money_ccy, RIGHTARG = money_ccy, FUNCTION = money_ccy_add, COMMUTATOR = +
);
COMMENT ON OPERATOR + (money_ccy, money_ccy) IS 'sum of two amounts in one currency; another currency is an error (22000), and so is leaving the range (22003)';

CREATE FUNCTION money_ccy_subtract(money_ccy, money_ccy) RETURNS money_ccy
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION money_ccy_subtract(money_ccy, money_ccy) IS 'implementation of - operator';

CREATE OPERATOR - (
	LEFTARG = money_ccy, RIGHTARG = money_ccy, FUNCTION = money_ccy_subtract
);
COMMENT ON OPERATOR - (money_ccy, money_ccy) IS 'difference of two amounts in one currency; another currency is an error (22000), and so is leaving the range (22003)';

CREATE FUNCTION money_ccy_negate(money_ccy) RETURNS money_ccy
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION money_ccy_negate(money_ccy) IS 'implementation of - operator';

CREATE OPERATOR - (
	RIGHTARG = money_ccy, FUNCTION = money_ccy_negate
);
COMMENT ON OPERATOR - (NONE, money_ccy) IS 'the amount with the other sign; leaving the range is an error (22003)';

CREATE FUNCTION abs(money_ccy) RETURNS money_ccy
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'money_ccy_abs';
COMMENT ON FUNCTION abs(money_ccy) IS 'the amount without its sign; leaving the range is an error (22003)';

CREATE FUNCTION money_ccy_times(money_ccy, bigint) RETURNS money_ccy
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION money_ccy_times(money_ccy, bigint) IS 'implementation of * operator';

CREATE OPERATOR * (
	LEFTARG = money_ccy, RIGHTARG = bigint, FUNCTION = money_ccy_times, COMMUTATOR = *
);
COMMENT ON OPERATOR * (money_ccy, bigint) IS 'the amount so many times; leaving the range is an error (22003)';

CREATE FUNCTION money_ccy_times(bigint, money_ccy) RETURNS money_ccy
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'money_ccy_times_commuted';
COMMENT ON FUNCTION money_ccy_times(bigint, money_ccy) IS 'implementation of * operator';

CREATE OPERATOR * (
	LEFTARG = bigint, RIGHTARG = money_ccy, FUNCTION = money_ccy_times, COMMUTATOR = *
);
COMMENT ON OPERATOR * (bigint, money_ccy) IS 'the amount so many times; leaving the range is an error (22003)';

CREATE FUNCTION money_ccy_ratio(money_ccy, money_ccy) RETURNS numeric
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION money_ccy_ratio(money_ccy, money_ccy) IS 'implementation of / operator';

CREATE OPERATOR / (
	LEFTARG = money_ccy, RIGHTARG = money_ccy, FUNCTION = money_ccy_ratio
);
COMMENT ON OPERATOR / (money_ccy, money_ccy) IS 'how many times the second amount goes into the first; another currency is an error (22000), and so is a zero (22012)';

CREATE FUNCTION money_ccy_multiply(money_ccy, factor numeric) RETURNS money_ccy
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION money_ccy_multiply(money_ccy, numeric) IS 'the amount times a factor, rounded half to even to a minor unit; NaN and infinity are errors (22023), and so is leaving the range (22003)';

CREATE FUNCTION money_ccy_allocate(money_ccy, weights bigint[]) RETURNS money_ccy[]
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION money_ccy_allocate(money_ccy, bigint[]) IS 'the amount shared by weights, nothing lost: units left over go to the largest remainders, the first of equal ones; a weight below zero (22023), a null (22004) and a sum of zero (22023) are errors';

-- Aggregates

CREATE FUNCTION money_ccy_sum_add(money_ccy, money_ccy) RETURNS money_ccy
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION money_ccy_sum_add(money_ccy, money_ccy) IS 'aggregate transition function: takes an amount into the sum';

CREATE FUNCTION money_ccy_sum_remove(money_ccy, money_ccy) RETURNS money_ccy
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION money_ccy_sum_remove(money_ccy, money_ccy) IS 'aggregate transition function: takes an amount out of the sum again';

CREATE AGGREGATE sum(money_ccy) (
	SFUNC       = money_ccy_sum_add,
	STYPE       = money_ccy,
	COMBINEFUNC = money_ccy_sum_add,
	MSFUNC      = money_ccy_sum_add,
	MINVFUNC    = money_ccy_sum_remove,
	MSTYPE      = money_ccy,
	PARALLEL    = SAFE
);
COMMENT ON AGGREGATE sum(money_ccy) IS 'sum of amounts in one currency; another currency is an error (22000), and so is leaving the range (22003)';

CREATE FUNCTION money_ccy_smaller(money_ccy, money_ccy) RETURNS money_ccy
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION money_ccy_smaller(money_ccy, money_ccy) IS 'the one that is first by currency code and then by amount';

CREATE AGGREGATE min(money_ccy) (
	SFUNC       = money_ccy_smaller,
	STYPE       = money_ccy,
	COMBINEFUNC = money_ccy_smaller,
	SORTOP      = <,
	PARALLEL    = SAFE
);
COMMENT ON AGGREGATE min(money_ccy) IS 'the first by currency code and then by amount';

CREATE FUNCTION money_ccy_larger(money_ccy, money_ccy) RETURNS money_ccy
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION money_ccy_larger(money_ccy, money_ccy) IS 'the one that is last by currency code and then by amount';

CREATE AGGREGATE max(money_ccy) (
	SFUNC       = money_ccy_larger,
	STYPE       = money_ccy,
	COMBINEFUNC = money_ccy_larger,
	SORTOP      = >,
	PARALLEL    = SAFE
);
COMMENT ON AGGREGATE max(money_ccy) IS 'the last by currency code and then by amount';
