# No token in the log
scenario peer: CHAI
later issue 7: no payment token exists yet; codes are redacted (tests/uplink)
ann comes
ann opens
ann takes cola from s1
ann closes
expect charge 1 cola
