"""Jobs over plain HTTP: what `curl -F` sends."""
