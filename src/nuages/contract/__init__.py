"""Tables of the contract between charm, rock and application: data, standard library only, packed into every charm."""
