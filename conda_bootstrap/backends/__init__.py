"""The programs that install packages, behind one port."""
