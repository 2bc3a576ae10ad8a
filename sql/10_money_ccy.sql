-- The type money_ccy: its forms, conversions and accessors, and the currencies that it knows.

CREATE TYPE money_ccy;

CREATE FUNCTION money_ccy_in(cstring, oid, integer) RETURNS money_ccy
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION money_ccy_in(cstring, oid, integer) IS 'text input of money_ccy: an amount, blanks and a currency code, never rounded';

CREATE FUNCTION money_ccy_out(money_ccy) RETURNS cstring
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION money_ccy_out(money_ccy) IS 'text output of money_ccy: the amount with all its minor digits, a blank and the code';

CREATE FUNCTION money_ccy_recv(internal, oid, integer) RETURNS money_ccy
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION money_ccy_recv(internal, oid, integer) IS 'binary input of money_ccy: minor units as int8, then the three letters of the code; as strict as text input';

CREATE FUNCTION money_ccy_send(money_ccy) RETURNS bytea
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION money_ccy_send(money_ccy) IS 'binary output of money_ccy: minor units as int8, then the three letters of the code';

CREATE FUNCTION money_ccy_typmod_in(cstring[]) RETURNS integer
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION money_ccy_typmod_in(cstring[]) IS 'type modifier input of money_ccy: one currency code in any case';

CREATE FUNCTION money_ccy_typmod_out(integer) RETURNS cstring
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION money_ccy_typmod_out(integer) IS 'type modifier output of money_ccy: the currency code in parentheses';

CREATE TYPE money_ccy (
	INPUT          = money_ccy_in,
	OUTPUT         = money_ccy_out,
	RECEIVE        = money_ccy_recv,
	SEND           = money_ccy_send,
	TYPMOD_IN      = money_ccy_typmod_in,
	TYPMOD_OUT     = money_ccy_typmod_out,
	INTERNALLENGTH = 16,
	ALIGNMENT      = double
);
COMMENT ON TYPE money_ccy IS 'an exact amount of money that carries its currency, as in ''49.99 USD''; money_ccy(USD) allows that currency only';

CREATE FUNCTION money_ccy(money_ccy, integer, boolean) RETURNS money_ccy
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'money_ccy_enforce_typmod';
COMMENT ON FUNCTION money_ccy(money_ccy, integer, boolean) IS 'the same amount if it is in the currency of the type modifier; else an error (22000)';

CREATE CAST (money_ccy AS money_ccy) WITH FUNCTION money_ccy(money_ccy, integer, boolean) AS IMPLICIT;
COMMENT ON CAST (money_ccy AS money_ccy) IS 'holds a type modifier: money_ccy(USD) takes no other currency';

-- Making one

CREATE FUNCTION money_ccy(amount numeric, currency text) RETURNS money_ccy
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'money_ccy_from_numeric';
COMMENT ON FUNCTION money_ccy(numeric, text) IS 'an amount in a currency: money_ccy(49.99, ''USD''); exact, an amount that would have to be rounded is an error (22P02)';

CREATE FUNCTION money_ccy_from_minor(minor bigint, currency text) RETURNS money_ccy
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION money_ccy_from_minor(bigint, text) IS 'an amount given in minor units: money_ccy_from_minor(4999, ''USD'') is 49.99 USD';

-- Its parts

CREATE FUNCTION money_ccy_amount(money_ccy) RETURNS numeric
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION money_ccy_amount(money_ccy) IS 'the amount without its currency, with all its minor digits: 49.99';

CREATE FUNCTION money_ccy_currency(money_ccy) RETURNS text
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION money_ccy_currency(money_ccy) IS 'the currency code: USD';

CREATE FUNCTION money_ccy_to_minor(money_ccy) RETURNS bigint
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION money_ccy_to_minor(money_ccy) IS 'the amount in minor units: 4999 for 49.99 USD';

CREATE FUNCTION money_ccy_decimal(money_ccy) RETURNS text
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION money_ccy_decimal(money_ccy) IS 'the amount as Shopify''s Decimal writes it: no zeros at the end but at least one decimal, whatever the currency: 61.1, 3000.0';

-- JSON

CREATE FUNCTION money_ccy_to_jsonb(money_ccy) RETURNS jsonb
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION money_ccy_to_jsonb(money_ccy) IS 'as a JSON object: {"amount": "49.99", "currencyCode": "USD"}';

CREATE FUNCTION money_ccy_from_jsonb(jsonb) RETURNS money_ccy
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION money_ccy_from_jsonb(jsonb) IS 'from a JSON object with the keys amount (a string or a number) and currencyCode, and no other; anything else is an error (22P02)';

CREATE CAST (money_ccy AS jsonb) WITH FUNCTION money_ccy_to_jsonb(money_ccy);
COMMENT ON CAST (money_ccy AS jsonb) IS 'as a JSON object: {"amount": "49.99", "currencyCode": "USD"}';

CREATE CAST (jsonb AS money_ccy) WITH FUNCTION money_ccy_from_jsonb(jsonb);
COMMENT ON CAST (jsonb AS money_ccy) IS 'from a JSON object with the keys amount and currencyCode, and no other';

-- The currencies

CREATE FUNCTION money_ccy_currencies(
	OUT code text,
	OUT numeric_code text,
	OUT minor_units smallint,
	OUT name text,
	OUT withdrawn boolean
) RETURNS SETOF record
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 190 AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION money_ccy_currencies() IS 'the currencies that money_ccy knows; see the view currency';

CREATE VIEW currency AS
	SELECT code, numeric_code, minor_units, name, withdrawn
	FROM money_ccy_currencies();
COMMENT ON VIEW currency IS 'the currencies that money_ccy knows: ISO 4217, less the codes that nobody pays with (metals, units of account, test codes)';
COMMENT ON COLUMN currency.code IS 'the three letters, in upper case';
COMMENT ON COLUMN currency.numeric_code IS 'the three digits, with their leading zeros';
COMMENT ON COLUMN currency.minor_units IS 'decimal places of an amount, 0 to 4';
COMMENT ON COLUMN currency.name IS 'the name in English, in plain ASCII';
COMMENT ON COLUMN currency.withdrawn IS 'true if the standard no longer has it: amounts stay readable and spendable, none is issued again';
