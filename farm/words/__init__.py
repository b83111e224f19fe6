"""The ground floor: the words that every room uses. Imports nothing of ours."""
