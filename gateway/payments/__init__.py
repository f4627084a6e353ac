"""Payment records as merchants and providers keep them: files in, records and line-numbered errors out."""
