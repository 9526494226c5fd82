"""What speaks for or against a credential besides its own claims: signatures, keys that leaked, the issuer itself.

Each module hands out frozen evidences for the judge to rank. None imports the judge, none decides a verdict, and no
evidence holds a byte of a token, a secret or a server's answer.
"""
