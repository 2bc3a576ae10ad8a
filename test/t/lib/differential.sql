-- Random operations on a ledger, the same for the same seed.  What each of them
-- answered is kept in a journal, to be compared with another database's.

-- One call, with all that any kind of call may need.
CREATE TYPE call AS (
	kind       text,
	owner      text,
	account_id bigint,
	hold_id    bigint,
	seq        bigint,
	amount     money_ccy,
	other      money_ccy,
	expires_at timestamptz,
	expires_on date,
	partial    boolean,
	category   text,
	memo       text,
	reference  text,
	issuer     text,
	key        text,
	notify     boolean,
	metadata   jsonb,
	choice     text,
	items      jsonb
);

CREATE TABLE played (n bigint PRIMARY KEY, calls integer NOT NULL, asked call, answer text NOT NULL);

-- Makes a call and tells what it answered; what it raises goes to the caller.
CREATE FUNCTION make_call(c call) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	answer text;
BEGIN
	CASE c.kind
		WHEN 'credit owner' THEN
			SELECT t::text INTO answer FROM store_credit_credit(c.owner, c.amount, expires_at => c.expires_at,
				expires_on => c.expires_on, category => c.category, memo => c.memo, reference => c.reference,
				issuer => c.issuer, idempotency_key => c.key, notify => c.notify, metadata => c.metadata) AS t;
		WHEN 'credit account' THEN
			SELECT t::text INTO answer FROM store_credit_credit(c.account_id, c.amount, expires_at => c.expires_at,
				expires_on => c.expires_on, category => c.category, memo => c.memo, reference => c.reference,
				issuer => c.issuer, idempotency_key => c.key, notify => c.notify, metadata => c.metadata) AS t;
		WHEN 'debit owner' THEN
			SELECT t::text INTO answer FROM store_credit_debit(c.owner, c.amount, allow_partial => c.partial,
				category => c.category, memo => c.memo, reference => c.reference,
				issuer => c.issuer, idempotency_key => c.key, notify => c.notify, metadata => c.metadata) AS t;
		WHEN 'debit account' THEN
			SELECT t::text INTO answer FROM store_credit_debit(c.account_id, c.amount, allow_partial => c.partial,
				category => c.category, memo => c.memo, reference => c.reference,
				issuer => c.issuer, idempotency_key => c.key, notify => c.notify, metadata => c.metadata) AS t;
		WHEN 'credit numeric' THEN
			SELECT t::text INTO answer FROM store_credit_credit(c.owner, money_ccy_amount(c.amount),
				money_ccy_currency(c.amount), expires_at => c.expires_at, idempotency_key => c.key) AS t;
		WHEN 'debit numeric' THEN
			SELECT t::text INTO answer FROM store_credit_debit(c.account_id, money_ccy_amount(c.amount),
				money_ccy_currency(c.amount), allow_partial => c.partial, idempotency_key => c.key) AS t;
		WHEN 'credit twin' THEN
			answer := store_credit_account_credit(coalesce(c.owner, 'gid://shop/StoreCreditAccount/' || c.account_id),
				jsonb_build_object('creditAmount', c.amount::jsonb, 'expiresAt', c.expires_at, 'memo', c.memo,
					'idempotencyKey', c.key, 'notify', c.notify, 'metadata', c.metadata));
		WHEN 'debit twin' THEN
			answer := store_credit_account_debit(coalesce(c.owner, 'gid://shop/StoreCreditAccount/' || c.account_id),
				jsonb_build_object('debitAmount', c.amount::jsonb, 'allowPartial', c.partial, 'reference', c.reference,
					'idempotencyKey', c.key, 'notify', c.notify, 'metadata', c.metadata));
		WHEN 'balance' THEN
			answer := store_credit_balance(c.owner, money_ccy_currency(c.amount));
		-- several calls in one statement
		WHEN 'debit burst' THEN
			SELECT string_agg(t::text, ' ') INTO answer
			FROM generate_series(1, 10) AS i, store_credit_debit(c.owner, c.amount, allow_partial => c.partial, reference => 'burst ' || i) AS t;
		WHEN 'mixed burst' THEN
			SELECT concat_ws(' ', store_credit_credit(c.owner, c.amount, c.expires_at), store_credit_debit(c.owner, c.other),
				store_credit_balance(c.owner, money_ccy_currency(c.amount)), store_credit_credit(c.owner, c.other))
			INTO answer;
		WHEN 'currency limit' THEN
			PERFORM store_credit_set_limit(money_ccy_currency(c.amount), c.amount, c.other,
				CASE WHEN c.partial THEN c.other END);
			answer := 'set';
		WHEN 'account limits' THEN
			PERFORM store_credit_set_account_limits(c.account_id, c.other, c.amount);
			answer := 'set';
		-- the life of a credit
		WHEN 'authorize' THEN
			SELECT h::text INTO answer FROM store_credit_authorize(c.owner, c.amount, allow_partial => c.partial,
				expires_at => c.expires_at, memo => c.memo, reference => c.reference, issuer => c.issuer,
				idempotency_key => c.key, metadata => c.metadata) AS h;
		WHEN 'capture' THEN
			SELECT t::text INTO answer FROM store_credit_capture(c.account_id, c.hold_id, c.other, final => NOT c.partial,
				category => c.category, memo => c.memo, reference => c.reference, issuer => c.issuer,
				idempotency_key => c.key, notify => c.notify, metadata => c.metadata) AS t;
		WHEN 'void' THEN
			SELECT h::text INTO answer FROM store_credit_void(c.account_id, c.hold_id, c.key) AS h;
		WHEN 'revert' THEN
			SELECT t::text INTO answer FROM store_credit_revert(c.account_id, c.seq, c.other, expired => c.choice,
				category => c.category, memo => c.memo, reference => c.reference, issuer => c.issuer,
				idempotency_key => c.key, notify => c.notify, metadata => c.metadata) AS t;
		WHEN 'edit' THEN
			SELECT t::text INTO answer FROM store_credit_edit(c.account_id, c.seq, c.other, expires_at => c.expires_at,
				expires_on => c.expires_on, category => c.category, memo => c.memo, idempotency_key => c.key, notify => c.notify) AS t;
		WHEN 'revoke' THEN
			SELECT t::text INTO answer FROM store_credit_revoke(c.account_id, c.seq, memo => c.memo, idempotency_key => c.key, notify => c.notify) AS t;
		WHEN 'refund' THEN
			SELECT string_agg(t::text, ' ') INTO answer FROM store_credit_refund(c.owner, c.amount, bonus => c.other,
				expires_at => c.expires_at, memo => c.memo, reference => c.reference, issuer => c.issuer,
				idempotency_key => c.key, notify => c.notify, metadata => c.metadata) AS t;
		WHEN 'sweep' THEN
			answer := store_credit_expire(1 + abs(money_ccy_to_minor(c.amount) % 20)::integer);
		WHEN 'available' THEN
			answer := store_credit_available(c.account_id);
		WHEN 'credit many' THEN
			SELECT string_agg(t::text, ' ') INTO answer FROM store_credit_credit_many(c.items, c.choice) AS t;
		WHEN 'debit many' THEN
			SELECT string_agg(t::text, ' ') INTO answer FROM store_credit_debit_many(c.items, c.choice) AS t;
		-- as erasure requests do
		WHEN 'blank' THEN
			WITH blanked AS (
				UPDATE transaction SET memo = NULL, metadata = NULL
				WHERE account_id = c.account_id AND seq % 3 = 0 AND (memo IS NOT NULL OR metadata IS NOT NULL)
				RETURNING seq)
			SELECT string_agg(seq::text, ' ' ORDER BY seq) INTO answer FROM blanked;
	END CASE;
	RETURN coalesce(answer, 'null');
END $$;

-- The same, and an error is an answer.
CREATE FUNCTION try_call(c call) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
	name text;
BEGIN
	RETURN make_call(c);
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, name = CONSTRAINT_NAME;
	RETURN concat_ws('|', SQLSTATE, SQLERRM, detail, name);
END $$;

-- Makes the calls one inside the other's savepoint, and rolls back those from the given one on.
CREATE FUNCTION try_nested(calls call[], first integer, undone_from integer) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	answer text;
BEGIN
	BEGIN
		answer := try_call(calls[first]);
		IF first < cardinality(calls) THEN
			answer := answer || ' / ' || try_nested(calls, first + 1, undone_from);
		END IF;
		IF first >= undone_from THEN
			RAISE EXCEPTION USING ERRCODE = 'UNDO1';
		END IF;
	EXCEPTION WHEN SQLSTATE 'UNDO1' THEN
		RETURN answer || ' undone';
	END;
	RETURN answer;
END $$;

CREATE FUNCTION below(n bigint) RETURNS bigint LANGUAGE sql AS 'SELECT trunc(random() * n)::bigint';

CREATE FUNCTION maybe(percent float8) RETURNS boolean LANGUAGE sql AS 'SELECT random() * 100 < percent';

CREATE FUNCTION random_kind() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	r float8 := random() * 100;
BEGIN
	RETURN CASE
		WHEN r < 16 THEN 'credit owner'
		WHEN r < 19 THEN 'credit account'
		WHEN r < 21 THEN 'credit numeric'
		WHEN r < 25 THEN 'credit twin'
		WHEN r < 37 THEN 'debit owner'
		WHEN r < 44 THEN 'debit account'
		WHEN r < 46 THEN 'debit numeric'
		WHEN r < 53 THEN 'debit twin'
		WHEN r < 56 THEN 'balance'
		WHEN r < 58 THEN 'available'
		WHEN r < 63 THEN 'debit burst'
		WHEN r < 68 THEN 'mixed burst'
		WHEN r < 74 THEN 'authorize'
		WHEN r < 80 THEN 'capture'
		WHEN r < 82 THEN 'void'
		WHEN r < 87 THEN 'revert'
		WHEN r < 90 THEN 'edit'
		WHEN r < 91.5 THEN 'revoke'
		WHEN r < 94 THEN 'refund'
		WHEN r < 95 THEN 'sweep'
		WHEN r < 97 THEN 'credit many'
		WHEN r < 99 THEN 'debit many'
		WHEN r < 99.1 THEN 'currency limit'
		WHEN r < 99.6 THEN 'account limits'
		ELSE 'blank' END;
END $$;

CREATE FUNCTION random_minor() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	r float8 := random();
BEGIN
	RETURN CASE
		WHEN r < 0.10 THEN 1 + below(100)
		WHEN r < 0.90 THEN 1 + below(5000)
		WHEN r < 0.96 THEN 1 + below(100000)
		WHEN r < 0.98 THEN 1 + below(5000000)
		WHEN r < 0.99 THEN -below(3)
		WHEN r < 0.9995 THEN 1
		ELSE 9223372036854775807 - below(1000) END;
END $$;

-- A name of its own length for each of n owners, some of them not of ASCII.
CREATE FUNCTION owner_name(i bigint) RETURNS text LANGUAGE sql AS
$$ SELECT CASE i % 10 WHEN 7 THEN 'Kundin/' || repeat('ü', (i % 41)::integer) WHEN 8 THEN 'gid://shop/Customer/' ELSE 'o' END
	|| i || repeat('x', (i % 97)::integer) $$;

-- What many credits or debits at once are given.
CREATE FUNCTION random_items(kind text, n bigint, owners bigint) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
		'owner', owner_name(below(owners)),
		'amount', money_ccy_from_minor(random_minor(), 'USD')::jsonb,
		'allow_partial', CASE WHEN kind = 'debit many' AND maybe(50) THEN true END,
		'expires_at', CASE WHEN kind = 'credit many' AND maybe(30) THEN store_credit_clock() + interval '1 day' END,
		'idempotency_key', CASE WHEN maybe(30) THEN 'key ' || n || '/' || i END)))
	FROM generate_series(1, 20) AS i
$$;

CREATE FUNCTION random_call(n bigint, owners bigint) RETURNS call LANGUAGE plpgsql AS $$
DECLARE
	who bigint := below(owners);
	code text := CASE WHEN who % 7 = 3 THEN 'JPY' WHEN who % 7 = 5 THEN 'BHD' ELSE 'USD' END;
	found_code text;
	now timestamptz := store_credit_clock();
	c call;
BEGIN
	IF maybe(2) THEN
		code := (ARRAY['USD', 'JPY', 'BHD', 'EUR', 'HRK'])[1 + below(5)];
	END IF;
	c.kind := random_kind();
	c.owner := owner_name(who);
	IF c.kind ~ ' account|numeric|limits|blank|twin|capture|void|revert|edit|revoke|available' AND maybe(98) THEN
		SELECT a.account_id, a.currency, 1 + greatest(0, a.last_hold_id - 1 - below(5)), 1 + greatest(0, a.last_seq - 1 - below(25))
		INTO c.account_id, found_code, c.hold_id, c.seq
		FROM account AS a WHERE a.owner = c.owner ORDER BY a.currency LIMIT 1;
	END IF;
	IF c.account_id IS NULL THEN
		c.account_id := below(owners);
	ELSIF maybe(98) THEN
		code := found_code;
	END IF;
	IF c.kind LIKE '% twin' AND maybe(50) THEN
		c.owner := NULL;
	END IF;
	c.amount := money_ccy_from_minor(random_minor(), code);
	c.other := money_ccy_from_minor(1 + below(3000), code);
	c.partial := maybe(20);
	IF c.kind ~ 'capture|revert|edit|refund' AND maybe(50) THEN
		c.other := NULL;
	END IF;
	c.choice := CASE
		WHEN c.kind LIKE '% many' THEN (ARRAY['skip', 'raise'])[1 + below(2)]
		WHEN c.kind = 'revert' THEN (ARRAY['reinstate', 'expire', 'refuse', NULL])[1 + below(4)] END;
	IF c.kind LIKE '% many' THEN
		c.items := random_items(c.kind, n, owners);
	END IF;
	c.notify := maybe(3);
	IF maybe(40) THEN
		c.expires_at := now + below(3 * 86400 * 1000) * interval '1 ms' - interval '1 minute';
	ELSIF maybe(10) THEN
		c.expires_on := now::date + below(4)::integer;
	END IF;
	IF maybe(30) THEN
		c.key := 'key ' || n;
	END IF;
	IF maybe(20) THEN
		c.category := 'refund';
		c.reference := 'R' || below(1000000);
		c.issuer := 'Clerk ' || below(10);
	END IF;
	-- from nothing to what has to be compressed, and to what has to be moved out of line
	IF maybe(10) THEN
		c.memo := repeat('why ', below(50)::integer);
		c.metadata := jsonb_build_object('n', n, 'r', random());
	ELSIF maybe(1) THEN
		c.memo := repeat('because ', below(2000)::integer);
		c.metadata := jsonb_agg(random()) FROM generate_series(1, below(400));
	END IF;
	-- limits that mostly leave room
	IF c.kind = 'currency limit' THEN
		c.amount := money_ccy_from_minor(20000 + below(2000000), code);
		c.other := CASE WHEN maybe(50) THEN money_ccy_from_minor(2000 + below(100000), code) END;
	ELSIF c.kind = 'account limits' THEN
		c.amount := CASE WHEN maybe(70) THEN money_ccy_from_minor(below(20000), code) END;
		c.other := CASE WHEN maybe(50) THEN money_ccy_from_minor(below(500000), code) END;
	END IF;
	RETURN c;
END $$;

-- How many calls of the ledger's functions a call makes.
CREATE FUNCTION calls_in(c call) RETURNS integer LANGUAGE sql AS
$$ SELECT CASE c.kind WHEN 'debit burst' THEN 10 WHEN 'mixed burst' THEN 4 WHEN 'credit many' THEN 20 WHEN 'debit many' THEN 20 ELSE 1 END $$;

-- Makes so many calls, in transactions of up to 400 of which some are rolled back.
CREATE PROCEDURE play(seed float8, calls bigint, owners bigint) LANGUAGE plpgsql AS $$
DECLARE
	n bigint := 0;
	made bigint := 0;
	size integer;
	depth integer;
	asked call[];
	answers text[];
	counts integer[];
	recent call[];				-- with keys, to be replayed
	nested call[];
	c call;
BEGIN
	PERFORM setseed(seed);
	PERFORM set_config('storecredit.test_clock', '2030-01-01 00:00:00 UTC', false);
	PERFORM store_credit_set_limit(currency, money_ccy_from_minor(1000000, currency))
	FROM unnest('{USD,JPY,EUR}'::text[]) AS currency;
	COMMIT;
	WHILE made < calls LOOP
		asked := '{}';
		answers := '{}';
		counts := '{}';
		size := 1 + below(CASE WHEN maybe(50) THEN 400 ELSE 8 END);
		FOR i IN 1 .. size LOOP
			IF maybe(5) THEN
				PERFORM set_config('storecredit.test_clock',
					(store_credit_clock() + below(7200000) * interval '1 ms')::text, false);
			END IF;

			c := NULL;
			IF maybe(5) THEN
				c := recent[1 + below(100)];
				IF maybe(20) THEN
					c.amount := money_ccy_from_minor(money_ccy_to_minor(c.amount) / 2, money_ccy_currency(c.amount));
				END IF;
			END IF;
			IF c.kind IS NULL THEN
				c := random_call(n + i, owners);
			END IF;
			IF c.key IS NOT NULL THEN
				recent[1 + (n + i) % 100] := c;
			END IF;

			counts[i] := calls_in(c);
			IF maybe(2) THEN
				depth := 2 + below(4);
				nested := array_agg(random_call(n + i, owners)) FROM generate_series(1, depth);
				answers[i] := try_nested(nested, 1, 1 + below(depth + 1)::integer);
				counts[i] := sum(calls_in(asked_for)) FROM unnest(nested) AS asked_for;
			ELSIF c.kind ~ 'twin|balance' AND money_ccy_to_minor(c.amount) BETWEEN 1 AND 1000000000 AND c.metadata IS NULL THEN
				-- outside a subtransaction: what the ledger refuses is answered here
				answers[i] := make_call(c);
			ELSE
				answers[i] := try_call(c);
			END IF;
			asked[i] := c;
		END LOOP;

		IF maybe(8) THEN
			ROLLBACK;
		ELSE
			COMMIT;
		END IF;
		INSERT INTO played SELECT n + i, counts[i], asked[i], answers[i] FROM generate_series(1, size) AS i;
		n := n + size;
		made := made + (SELECT sum(count) FROM unnest(counts) AS count);
		COMMIT;
	END LOOP;
END $$;
