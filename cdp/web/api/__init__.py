"""The API: one file per resource, its schemas at the top, answers as the contract promises them."""
