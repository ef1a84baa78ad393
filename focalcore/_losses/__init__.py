"""What a loss is made of: its terms for each element or row, its operands, its reduction."""
