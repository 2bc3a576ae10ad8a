-- No row: every account's balance is the sum of its history and of what is left of its credits.
SELECT * FROM storecredit.verify();

-- Every credit that a client was told of is in the books, once; every account adds up; none is below zero.
SELECT count(*) = :credits AS credits_all_booked
FROM storecredit.transaction JOIN storecredit.account USING (account_id)
WHERE owner LIKE 'Load/%' AND kind = 'credit';
SELECT count(*) AS accounts, bool_and(balance = total) AS balances_are_sums, bool_and(money_ccy_to_minor(balance) >= 0) AS none_below_zero
FROM storecredit.account
JOIN (SELECT account_id, sum(amount) AS total FROM storecredit.transaction GROUP BY account_id) t USING (account_id)
WHERE owner LIKE 'Load/%';
