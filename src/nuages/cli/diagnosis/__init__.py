"""Why a running application does not do what it should: ask it as a browser would, look inside, explain."""
