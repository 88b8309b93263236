"""The addresses of the API, one file per noun. A route reads the request, asks one part, and shows the answer; no rules here."""
