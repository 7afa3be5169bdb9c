"""Pictures of what trained models do."""
