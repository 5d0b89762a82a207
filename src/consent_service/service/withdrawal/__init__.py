"""The link in a mail by which its reader withdraws without logging in (TRK-04): the token and the page behind it."""
