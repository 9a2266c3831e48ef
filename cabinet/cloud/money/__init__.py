"""The cloud's money: holds, captures, debts, refunds and disputes, and the double-entry lines of all of them."""
