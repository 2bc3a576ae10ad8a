-- What was booked.  A debit beyond the available balance was answered with INSUFFICIENT_FUNDS.
SELECT kind, count(*), sum(amount)
FROM storecredit.transaction JOIN storecredit.account USING (account_id)
WHERE owner LIKE 'Load/%' GROUP BY kind ORDER BY kind;
SELECT count(*) AS accounts, sum(balance) AS owed, min(balance) AS least, max(balance) AS most
FROM storecredit.account WHERE owner LIKE 'Load/%';
