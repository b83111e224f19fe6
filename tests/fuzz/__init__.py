"""All that parses what strangers wrote, fed with what no stranger would think of; see `make fuzz`."""
