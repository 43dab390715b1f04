"""Bulk actions: writing down whom they are about, doing them chunk by chunk, driving it all."""
