"""MCP for agents: twelve task-shaped tools, resources and a prompt, over the same actions as every interface."""

from tutelage.interfaces.mcp.access import Access
from tutelage.interfaces.mcp.server import build

__all__ = ["Access", "build"]
