"""What the render methods say of themselves."""
