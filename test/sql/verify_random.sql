-- verify() finds nothing wrong in whatever the functions can do: random lives of a few accounts, with time moving.
SET client_min_messages = warning;
SELECT storecredit.create_ledger();
SET search_path = storecredit, public;
\set SHOW_CONTEXT never

CREATE TEMP TABLE played (operation text PRIMARY KEY, done bigint NOT NULL DEFAULT 0, refused bigint NOT NULL DEFAULT 0);
CREATE TEMP TABLE unsound (seed int, step int, operation text, violation text);
CREATE TEMP TABLE dice (state bigint NOT NULL);

-- the same numbers on every server: 0 to sides - 1
CREATE FUNCTION pg_temp.roll(sides bigint) RETURNS bigint LANGUAGE sql AS
	$$UPDATE dice SET state = (state * 1103515245 + 12345) % 2147483648 RETURNING (state >> 8) % sides$$;

CREATE FUNCTION pg_temp.some_amount() RETURNS money_ccy LANGUAGE sql AS
	$$SELECT money_ccy_from_minor(1 + pg_temp.roll(pg_temp.roll(100) * 100 + 1), 'USD')$$;

CREATE FUNCTION pg_temp.some_expiry() RETURNS timestamptz LANGUAGE sql AS
	$$SELECT CASE WHEN pg_temp.roll(4) > 0 THEN store_credit_clock() + pg_temp.roll(40) * interval '6 hours' END$$;

CREATE FUNCTION pg_temp.some_key(seed int) RETURNS text LANGUAGE sql AS
	$$SELECT CASE WHEN pg_temp.roll(8) = 0 THEN format('key %s/%s', seed, pg_temp.roll(200)) END$$;

CREATE FUNCTION pg_temp.some_of(kinds text[], account bigint) RETURNS bigint LANGUAGE sql AS $$
	WITH chosen AS (SELECT seq FROM transaction WHERE account_id = account AND kind = ANY (kinds) ORDER BY seq DESC LIMIT 12)
	SELECT coalesce((SELECT seq FROM chosen ORDER BY seq OFFSET pg_temp.roll(greatest(1, (SELECT count(*) FROM chosen))) LIMIT 1), 0)$$;

CREATE FUNCTION pg_temp.some_hold(account bigint) RETURNS bigint LANGUAGE sql AS $$
	WITH chosen AS (SELECT hold_id FROM hold WHERE account_id = account ORDER BY (status = 'open') DESC, hold_id DESC LIMIT 6)
	SELECT coalesce((SELECT hold_id FROM chosen ORDER BY hold_id OFFSET pg_temp.roll(greatest(1, (SELECT count(*) FROM chosen))) LIMIT 1), 0)$$;

CREATE PROCEDURE pg_temp.play_one(seed int, operation text, account bigint) LANGUAGE plpgsql AS $$
DECLARE
	name text := (SELECT owner FROM account a WHERE a.account_id = account);
	key text := pg_temp.some_key(seed);
	rule text := ('{NULL,reinstate,expire,refuse}'::text[])[1 + pg_temp.roll(4)];
	part money_ccy := CASE WHEN pg_temp.roll(2) = 0 THEN pg_temp.some_amount() END;
BEGIN
	CASE operation
		WHEN 'credit' THEN
			PERFORM store_credit_credit(account, pg_temp.some_amount(), expires_at => pg_temp.some_expiry(), idempotency_key => key);
		WHEN 'refund' THEN
			PERFORM store_credit_refund(account, pg_temp.some_amount(), bonus => part, expires_at => pg_temp.some_expiry(),
				bonus_expires_at => pg_temp.some_expiry(), idempotency_key => key);
		WHEN 'debit' THEN
			PERFORM store_credit_debit(account, pg_temp.some_amount(), pg_temp.roll(2) = 0, idempotency_key => key);
		WHEN 'authorize' THEN
			PERFORM store_credit_authorize(account, pg_temp.some_amount(), pg_temp.roll(2) = 0, pg_temp.some_expiry(),
				idempotency_key => key);
		WHEN 'capture' THEN
			PERFORM store_credit_capture(account, pg_temp.some_hold(account), part, pg_temp.roll(2) = 0, idempotency_key => key);
		WHEN 'void' THEN
			PERFORM store_credit_void(account, pg_temp.some_hold(account), key);
		WHEN 'revert' THEN
			PERFORM store_credit_revert(account, pg_temp.some_of('{debit}', account), part, rule, idempotency_key => key);
		WHEN 'edit amount' THEN
			PERFORM store_credit_edit(account, pg_temp.some_of('{credit}', account), pg_temp.some_amount(), idempotency_key => key);
		WHEN 'edit expiry' THEN
			PERFORM store_credit_edit(account, pg_temp.some_of('{credit}', account), part,
				coalesce(pg_temp.some_expiry(), 'infinity'), memo => 'moved');
		WHEN 'edit memo' THEN
			PERFORM store_credit_edit(account, pg_temp.some_of('{credit}', account), memo => 'said', idempotency_key => key);
		WHEN 'revoke' THEN
			PERFORM store_credit_revoke(account, pg_temp.some_of('{credit}', account), idempotency_key => key);
		WHEN 'expire' THEN
			PERFORM store_credit_expire((1 + pg_temp.roll(5))::int);
		WHEN 'credit line' THEN
			PERFORM store_credit_set_account_limits(account, NULL, money_ccy_from_minor(pg_temp.roll(3) * 5000, 'USD'));
		WHEN 'credit many' THEN
			PERFORM store_credit_credit_many((SELECT jsonb_agg(jsonb_build_object('owner', name,
				'amount', pg_temp.some_amount()::text, 'expires_at', pg_temp.some_expiry())) FROM generate_series(1, 3)), 'skip');
		WHEN 'debit many' THEN
			PERFORM store_credit_debit_many((SELECT jsonb_agg(jsonb_build_object('account_id', account,
				'amount', pg_temp.some_amount()::text, 'allow_partial', n = 2)) FROM generate_series(1, 3) n), 'skip');
		WHEN 'rule' THEN
			PERFORM set_config('storecredit.revert_expired', coalesce(rule, 'reinstate'), false),
				set_config('storecredit.revert_grace', (1 + pg_temp.roll(5)) || 'd', false);
	END CASE;
END$$;

CREATE PROCEDURE pg_temp.play(seed int, steps int) LANGUAGE plpgsql AS $$
DECLARE
	-- the more frequent ones more than once
	operations text[] := '{credit,credit,refund,debit,debit,authorize,authorize,capture,capture,void,revert,revert,edit amount,
		edit expiry,edit memo,revoke,expire,credit line,credit many,debit many,rule}';
	accounts bigint[];
	account bigint;
	what text;
	clock timestamptz := '2030-01-01 00:00:00+00';
BEGIN
	UPDATE dice SET state = seed;
	IF NOT FOUND THEN
		INSERT INTO dice VALUES (seed);
	END IF;
	PERFORM set_config('storecredit.test_clock', clock::text, false);
	SELECT array_agg((store_credit_credit(format('random/%s/%s', seed, n), '20 USD'::money_ccy)).account_id) INTO accounts
		FROM generate_series(1, 3) n;

	FOR step IN 1 .. steps LOOP
		-- time stands still, runs, and now and then is set back
		clock := clock + CASE WHEN pg_temp.roll(60) = 0 THEN - interval '30 hours' ELSE pg_temp.roll(4) * interval '2 hours' END;
		PERFORM set_config('storecredit.test_clock', clock::text, false);
		account := accounts[1 + pg_temp.roll(3)];
		what := operations[1 + pg_temp.roll(cardinality(operations))];
		INSERT INTO played VALUES (what) ON CONFLICT DO NOTHING;
		BEGIN
			CALL pg_temp.play_one(seed, what, account);
			UPDATE played p SET done = done + 1 WHERE p.operation = what;
		EXCEPTION WHEN OTHERS THEN
			IF SQLSTATE !~ '^SC' THEN
				RAISE;
			END IF;
			UPDATE played p SET refused = refused + 1 WHERE p.operation = what;
		END;
		IF step % 25 = 0 THEN
			INSERT INTO unsound SELECT seed, step, what, v::text FROM unnest(accounts) a (id), verify(a.id) v;
			COMMIT;
		END IF;
	END LOOP;
END$$;

CALL pg_temp.play(1, 600);
CALL pg_temp.play(2, 600);
SET storecredit.fast_path = off;
CALL pg_temp.play(3, 600);
CALL pg_temp.play(4, 600);
RESET storecredit.fast_path;

-- everything was done, and refused where that can be
SELECT operation, done > 20 AS done, refused > 0 AS refused FROM played ORDER BY operation COLLATE "C";
SELECT bool_or(kind = 'credit' AND draws IS NOT NULL) AS paid_back, bool_or(kind = 'credit' AND related_seq IS NOT NULL) AS bonus,
	bool_or(kind = 'adjustment' AND related_seq IS NULL AND draws[2] > 0) AS paid_back_later,
	bool_or(kind = 'adjustment' AND related_seq IS NULL AND draws[2] < 0) AS returned,
	bool_or(kind = 'adjustment' AND related_seq IS NOT NULL AND draws IS NOT NULL) AS raised_and_paid_back,
	bool_or(kind = 'adjustment' AND related_seq IS NOT NULL AND issuer = 'storecredit') AS reinstated,
	bool_or(kind = 'debit' AND hold_id IS NOT NULL) AS captured
FROM transaction JOIN account USING (account_id) WHERE owner LIKE 'random/%';

-- and nothing is unsound
SELECT * FROM unsound;
SELECT * FROM verify();
