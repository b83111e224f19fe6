"""The dashboard: pages for people, made here of the same views as the API's answers."""
