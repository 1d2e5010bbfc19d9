"""Effects of build time: the .charm file and the local rock."""
