-- Foreign keys between the ledger and an application's tables, in both directions.
SET client_min_messages = warning;
SELECT storecredit.create_ledger();
SET search_path = "$user", public, storecredit;
SET storecredit.test_clock = '2026-11-27 09:00+00';
ALTER SEQUENCE account_number_seq RESTART 910001;
\set SHOW_CONTEXT never
\set VERBOSITY terse

-- given customers that accounts belong to, and orders that refer to accounts and to what paid them
CREATE TABLE regress_location (gid text COLLATE "C" PRIMARY KEY, name text);
INSERT INTO regress_location VALUES ('gid://shopify/CompanyLocation/8272773426', 'Main street'), ('gid://shopify/CompanyLocation/1', 'Side street');
ALTER TABLE account ADD CONSTRAINT regress_owner FOREIGN KEY (owner) REFERENCES regress_location NOT VALID;
CREATE TABLE regress_order (id int PRIMARY KEY, account_id bigint REFERENCES account, payment_seq bigint,
	FOREIGN KEY (account_id, payment_seq) REFERENCES transaction);

-- an owner that is no customer gets no account
SELECT store_credit_credit('gid://shopify/CompanyLocation/2', '6 USD');
\echo SQLSTATE :LAST_ERROR_SQLSTATE
SELECT account_id, balance_after FROM store_credit_credit('gid://shopify/CompanyLocation/8272773426', '6 USD');
-- an owner with an account cannot be deleted, one without can
DELETE FROM regress_location WHERE gid LIKE '%8272773426';
\echo SQLSTATE :LAST_ERROR_SQLSTATE
DELETE FROM regress_location WHERE gid = 'gid://shopify/CompanyLocation/1';

-- an order names its account, then its payment
BEGIN;
INSERT INTO regress_order VALUES (1, 910002);
UPDATE regress_order SET payment_seq = d.seq FROM store_credit_debit(910002, '2 USD', reference => 'Order/1') AS d WHERE id = 1;
INSERT INTO regress_order SELECT 2, account_id, seq FROM store_credit_debit(910002, '1 USD', reference => 'Order/2');
COMMIT;
SELECT o.id, o.account_id, o.payment_seq, t.amount FROM regress_order o
JOIN transaction t ON t.account_id = o.account_id AND t.seq = o.payment_seq ORDER BY id;
INSERT INTO regress_order VALUES (3, 910999);
INSERT INTO regress_order VALUES (3, 910002, 9);

DROP TABLE regress_order;
-- an order that names its account only leaves the ledger's fast way open; the lock that it takes stands in nobody's way
CREATE TABLE regress_order (id int PRIMARY KEY, account_id bigint REFERENCES account);
BEGIN;
INSERT INTO regress_order VALUES (1, 910002);
SELECT seq, balance_after FROM store_credit_debit(910002, '1 USD');
INSERT INTO regress_order VALUES (2, 910002);
SELECT seq, balance_after FROM store_credit_debit(910002, '1 USD');
SELECT seq, balance_after FROM store_credit_credit(910002, '1 USD');
COMMIT;

DROP TABLE regress_order;
ALTER TABLE account DROP CONSTRAINT regress_owner;
DROP TABLE regress_location;
SELECT * FROM verify();
