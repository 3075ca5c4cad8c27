"""What the doctor looks at: facts gathered outside, judged by plain functions here."""
