-- Step 2.  The four requests of Shopify's page on storeCreditAccountCredit, in its own JSON.
-- The answers have more fields than the page asks for; each field that the page prints must be there
-- with the same value, and there must be as many userErrors.
SET storecredit.test_clock = '2026-11-27 10:00:00+00';
CREATE FUNCTION pg_temp.verdict(answer jsonb, documented jsonb) RETURNS text LANGUAGE sql
RETURN CASE WHEN answer @> documented
             AND jsonb_array_length(answer -> 'userErrors') = jsonb_array_length(documented -> 'userErrors')
       THEN '==> as documented' ELSE '==> DIFFERS from what is documented' END;

-- The page's account 316863792 holds 11.11 USD, and no account may hold more than 15000 USD.
SELECT store_credit_set_limit('USD', max_balance => '15000 USD');
ALTER SEQUENCE storecredit.account_number_seq RESTART 316863792;
SELECT account_id, balance_after FROM store_credit_credit('gid://shopify/Customer/544365967', '11.11 USD');

-- Each example on the page starts from that balance, so each is rolled back once it has been answered.
\pset format unaligned
\pset tuples_only on

-- 1. Credit an amount to a store credit account by customer ID
BEGIN;
SELECT store_credit_account_credit('gid://shopify/Customer/544365967', '{
  "creditAmount": { "amount": "49.99", "currencyCode": "USD" }
}') AS answer \gset
ROLLBACK;
SELECT jsonb_pretty(:'answer');
SELECT pg_temp.verdict(:'answer', '{
  "storeCreditAccountTransaction": {
    "amount": { "amount": "49.99", "currencyCode": "USD" },
    "account": {
      "id": "gid://shopify/StoreCreditAccount/316863792",
      "balance": { "amount": "61.1", "currencyCode": "USD" }
    }
  },
  "userErrors": []
}');

-- 2. Credit an expiring amount to a store credit account by account ID
BEGIN;
SELECT store_credit_account_credit('gid://shopify/StoreCreditAccount/316863792', '{
  "expiresAt": "2028-10-26",
  "creditAmount": { "amount": "49.99", "currencyCode": "USD" }
}') AS answer \gset
ROLLBACK;
SELECT jsonb_pretty(:'answer');
SELECT pg_temp.verdict(:'answer', '{
  "storeCreditAccountTransaction": {
    "amount": { "amount": "49.99", "currencyCode": "USD" },
    "account": {
      "id": "gid://shopify/StoreCreditAccount/316863792",
      "balance": { "amount": "61.1", "currencyCode": "USD" }
    }
  },
  "userErrors": []
}');

-- 3. Crediting a negative amount returns an error
BEGIN;
SELECT store_credit_account_credit('gid://shopify/Customer/1018520244', '{
  "creditAmount": { "amount": "-100.00", "currencyCode": "USD" }
}') AS answer \gset
ROLLBACK;
SELECT jsonb_pretty(:'answer');
SELECT pg_temp.verdict(:'answer', '{
  "storeCreditAccountTransaction": null,
  "userErrors": [
    {
      "message": "A positive amount must be used to credit a store credit account",
      "field": [ "creditInput", "creditAmount", "amount" ]
    }
  ]
}');

-- 4. Crediting an amount that exceeds the account limit returns an error
BEGIN;
SELECT store_credit_account_credit('gid://shopify/Customer/1018520244', '{
  "creditAmount": { "amount": "100000.00", "currencyCode": "USD" }
}') AS answer \gset
ROLLBACK;
SELECT jsonb_pretty(:'answer');
SELECT pg_temp.verdict(:'answer', '{
  "storeCreditAccountTransaction": null,
  "userErrors": [
    {
      "message": "The operation would cause the account''s credit limit to be exceeded",
      "field": [ "creditInput", "creditAmount", "amount" ]
    }
  ]
}');
