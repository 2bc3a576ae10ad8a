-- Rule "limit": what a shop grants, by owner, store and currency; nothing that a customer does with it.
\getenv tests PG_ABS_SRCDIR
\set spree :tests '/fixtures/spree/spree-5.6.sql'
\set statements :tests '/fixtures/spree/statements.sql'
SET client_min_messages = warning;
SELECT storecredit.create_ledger();
\set SHOW_CONTEXT never
CREATE SCHEMA spree_limits;
SET search_path = spree_limits;
\set ECHO none
\i :spree
\i :statements
\set ECHO all
TRUNCATE spree_store_credits, spree_store_credit_events RESTART IDENTITY;
ALTER TABLE spree_store_credits ALTER created_at SET DEFAULT now(), ALTER updated_at SET DEFAULT now(), ALTER currency SET DEFAULT 'USD';
SELECT storecredit.spree_attach('spree_store_credits');
-- without a limit there is none
INSERT INTO spree_store_credits (user_id, store_id, amount) VALUES (1, 1, 900);
SELECT storecredit.store_credit_set_limit('USD', max_balance => '500 USD', max_credit => '450 USD');

-- a customer above a limit that came later: a checkout and a refund go on, more is not granted
SELECT authorize(1, 900, 'a'), capture(1, 900, 'a', 900), refund(1, 900, 'a');
UPDATE spree_store_credits SET amount = 901 WHERE id = 1;
INSERT INTO spree_store_credits (user_id, store_id, amount) VALUES (1, 1, 0.01);
UPDATE spree_store_credits SET amount = 400 WHERE id = 1;
INSERT INTO spree_store_credits (user_id, store_id, amount) VALUES (1, 1, 100.01);
INSERT INTO spree_store_credits (user_id, store_id, amount) VALUES (1, 1, 100);
-- what is authorized is still the customer's, what is used is not
SELECT authorize(1, 400, 'b');
INSERT INTO spree_store_credits (user_id, store_id, amount) VALUES (1, 1, 1);
SELECT capture(1, 400, 'b', 400);
INSERT INTO spree_store_credits (user_id, store_id, amount) VALUES (1, 1, 400);
-- it can come back all the same
SELECT refund(1, 400, 'b');
-- other stores, currencies and customers, and rows of nobody's, are counted apart
INSERT INTO spree_store_credits (user_id, store_id, amount, currency) VALUES (1, 2, 450, 'USD'), (1, NULL, 450, 'USD'), (1, 1, 450, 'EUR'),
	(2, 1, 450, 'USD'), (NULL, 1, 450, 'USD'), (NULL, 1, 450, 'USD');
INSERT INTO spree_store_credits (user_id, store_id, amount) VALUES (1, NULL, 51);
-- so are gift cards, whoever they were applied for
INSERT INTO spree_store_credits (user_id, store_id, amount, originator_type, originator_id) VALUES (2, 1, 1000, 'Spree::GiftCard', 1), (2, 1, 50, 'Spree::Order', 1);
INSERT INTO spree_store_credits (user_id, store_id, amount) VALUES (2, 1, 0.01);
-- no single credit above the limit of one
INSERT INTO spree_store_credits (user_id, store_id, amount) VALUES (3, 1, 450.01);
INSERT INTO spree_store_credits (user_id, store_id, amount) VALUES (3, 1, 450);
UPDATE spree_store_credits SET amount = 451 WHERE user_id = 3;
-- a credit that finds an owner, or loses its mark of deletion, comes to count
UPDATE spree_store_credits SET user_id = 3 WHERE user_id IS NULL;
UPDATE spree_store_credits SET deleted_at = now() WHERE user_id = 3;
INSERT INTO spree_store_credits (user_id, store_id, amount) VALUES (3, 1, 400);
UPDATE spree_store_credits SET deleted_at = NULL WHERE user_id = 3 AND deleted_at IS NOT NULL;
-- several rows of one statement
INSERT INTO spree_store_credits (user_id, store_id, amount) VALUES (4, 1, 300), (4, 1, 300);
INSERT INTO spree_store_credits (user_id, store_id, amount) VALUES (4, 1, 300), (4, 1, 200);

-- a customer whose id is a text that tries to be more, counted as the table's owner, for a role that sees no row
ALTER TABLE spree_store_credits ALTER user_id TYPE text;
CREATE ROLE regress_spree_clerk;
GRANT USAGE ON SCHEMA spree_limits TO regress_spree_clerk;
GRANT INSERT ON spree_store_credits TO regress_spree_clerk;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA spree_limits TO regress_spree_clerk;
ALTER TABLE spree_store_credits ENABLE ROW LEVEL SECURITY;
CREATE POLICY may_write ON spree_store_credits TO regress_spree_clerk USING (false) WITH CHECK (true);
SET ROLE regress_spree_clerk;
SET search_path = '';
INSERT INTO spree_limits.spree_store_credits (user_id, store_id, amount) VALUES (''' OR ''x'' = ''x', 1, 400), ('4', 1, 1);
INSERT INTO spree_limits.spree_store_credits (user_id, store_id, amount) VALUES (''' OR ''x'' = ''x', 1, 400);
INSERT INTO spree_limits.spree_store_credits (user_id, store_id, amount) VALUES (''' OR ''x'' = ''x', 1, 101);
RESET ROLE;
SET search_path = spree_limits;

-- as numeric(8,2) has it, and where the ledger's limits end
SELECT storecredit.store_credit_set_limit('USD', max_balance => '92233720368547758.06 USD');
INSERT INTO spree_store_credits (user_id, store_id, amount) VALUES (1, 1, 999999.99), (1, 1, 999999.99);
DELETE FROM storecredit.currency_limit;
DROP SCHEMA spree_limits CASCADE;
DROP ROLE regress_spree_clerk;
